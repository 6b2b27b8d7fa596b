"""Names of runs, jobs and steps that several parts of the platform know: all read them here, as most start without Dagster.

Not here: what the jobs do (defs), how a run is asked for (adapters/dagster_api)."""

PRIORITY = "dagster/priority"
"""Tag of runs, by which the queue goes, and of steps: of those that could be next, one of higher priority is. The gate's runs
and feed lines have one above 0; what a person starts has none, which counts as 0."""
BACKFILL = {
    PRIORITY: "-10",
    "dagster/max_retries": "2",
    "dagster/retry_strategy": "ALL_STEPS",
    "dagster/max_runtime": "21600",
}
"""Tags of a backfill's run: it waits while runs of the live platform are queued; one whose process is gone is made again, whole, as
a repeat changes no row; after six hours nobody believes that it still works."""

DATA_DOCS = "/data-docs/"
"""Path, below the API's address, of what the rules of a gate run saw; the run's id follows."""

INTRADAY_STEP = "intraday_aggregates"
"""Step that makes the intraday aggregates, of all symbols or of some."""
RESTATE_JOB, RESTATE_STEP = "restate_session", "quality__restatement"
"""Job of one step that restates a session; Dagster derives the step's name from the asset's key."""
