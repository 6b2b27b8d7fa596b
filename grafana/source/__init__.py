"""Dashboards and alert rules as code. One module a dashboard; `files` says what becomes which committed file."""
