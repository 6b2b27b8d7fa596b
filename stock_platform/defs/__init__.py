"""The only importer of Dagster: assets, checks, sensors and jobs. Decisions live with their stage; here they are wired."""
