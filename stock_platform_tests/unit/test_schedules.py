"""When what is done daily is done: times by hand, from Dagster's own evaluation of the schedules."""

from datetime import UTC, datetime
from itertools import islice

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from stock_platform.defs.calendars import reference_job, reference_schedule
from stock_platform.defs.retention import retention_job, retention_schedule


@pytest.mark.parametrize(
    ("schedule", "name", "job", "times"),
    [
        pytest.param(
            reference_schedule(reference_job()),
            "daily_reference",
            "refresh_reference",
            [datetime(2026, 11, 21, 0, 20, tzinfo=UTC), datetime(2026, 11, 22, 0, 20, tzinfo=UTC)],
            id="reference: after midnight UTC",
        ),
        pytest.param(
            retention_schedule(retention_job()),
            "daily_retention",
            "forget_old",
            [datetime(2026, 11, 20, 22, 40, tzinfo=UTC), datetime(2026, 11, 21, 22, 40, tzinfo=UTC)],
            id="retention: after New York's close, before Tokyo's open",
        ),
    ],
)
def test_daily_schedule_runs_its_job_once_a_day_weekends_too(
    schedule: dg.ScheduleDefinition, name: str, job: str, times: list[datetime]
) -> None:
    assert (schedule.name, schedule.job_name) == (name, job)
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    friday = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
    coming = schedule_execution_time_iterator(friday, schedule.cron_schedule, schedule.execution_timezone)
    assert list(islice(coming, 2)) == times
