"""Shapes of a bar's passport as the HTTP API answers it: what is known of where the bar comes from. The rest: shapes.

They are filled from objects with the same attributes (market/passport). Left out: paths on the server's disk."""

from datetime import date, datetime

from pydantic import Field

from stock_platform.api.shapes import Price, Shape


class BarVersion(Shape):
    """One accepted version of a bar, with the time in which it was the current one."""

    revision: int = Field(description="1 for the first accepted version.")
    verdict: str = Field(description="passed, suspect, restated or vendor.", examples=["passed"])
    open: Price
    high: Price
    low: Price
    close: Price
    volume: int | None = Field(description="None where the instrument has no volume.")
    vwap: Price | None = Field(description="None where nothing was traded.")
    tick_count: int = Field(description="Distinct ticks in the bar; 0 of a bar of the vendor's history.")
    ts_first_tick: datetime | None = Field(description="None of a bar of the vendor's history, as all that is said of ticks.")
    ts_last_tick: datetime | None
    is_continuous: bool = Field(description="No tick can be missing between this bar and the one before.")
    source: str = Field(description="yahoo, simulator or tape.", examples=["tape"])
    kafka_partition: int | None
    kafka_offset_first: int | None = Field(description="Lowest offset among the bar's ticks, repeats included.")
    kafka_offset_last: int | None = Field(description="Highest offset among the bar's ticks, repeats included.")
    flink_job_id: str | None
    response_path: str | None = Field(
        description="The vendor's raw answer, below the profile's folder; None of a bar that was made of ticks."
    )
    dagster_run_id: str
    dagster_run_url: str = Field(description="The run's page in Dagster.")
    ts_valid_from: datetime = Field(description="When the gate accepted it.")
    ts_valid_to: datetime | None = Field(description="None for the current version.")


class CheckResult(Shape):
    """How one rule fared in the gate run, over the run's whole batch."""

    check_name: str = Field(examples=["high_is_highest"])
    severity: str = Field(description="What a failure does: quarantine the row, suspect (mark it), or block the batch.")
    is_passed: bool
    observed_count: int = Field(description="Bars looked at.")
    failed_count: int = Field(description="Bars that broke the rule.")
    detail: str = Field(description="The first bars that broke it.")
    ts_checked: datetime


class GateRun(Shape):
    """The Dagster run that accepted the current version."""

    dagster_run_id: str
    url: str = Field(description="The run's page in Dagster.", examples=["http://127.0.0.1:3070/runs/0f3c"])
    code_version: str | None = Field(description="Git commit or version of the code that accepted it; None where not written down.")
    closed_until: datetime | None = Field(description="Bars that end at or before this instant were closed for the run.")
    checks: list[CheckResult] = Field(description="Every rule of that run, failed ones first.")
    data_docs_url: str | None = Field(
        description="Page of what its rules saw, below this API's address; None where there is none, or none any more.",
        examples=["/data-docs/0f3c"],
    )


class FlinkJob(Shape):
    """The Flink job that computed the current version."""

    flink_job_id: str
    restatement_id: int | None = Field(description="The restatement that it ran for; None: it was the stream job.")
    is_known: bool = Field(description="False: the job is not known any more, another one runs.")
    state: str | None = Field(description="State as last seen.", examples=["RUNNING"])
    ts_checkpoint: datetime | None = Field(description="When its newest checkpoint was complete.")


class Refused(Shape):
    """A newer version of the bar that the gate refused."""

    rules: list[str] = Field(description="Names of the rules that it broke.")
    dagster_run_id: str
    dagster_run_url: str = Field(description="The run's page in Dagster.")
    ts_quarantined: datetime
    decision: str | None = Field(description="What a person decided of it; None while it waits for one.")


class Passport(Shape):
    """All that is known of one certified bar."""

    symbol: str = Field(examples=["AAPL"])
    ts_start: datetime
    ts_end: datetime
    session_date: date
    current: BarVersion
    kafka_topic: str = Field(description="Topic of the partition and offsets.", examples=["market.ticks.v1"])
    flink_job: FlinkJob | None = Field(description="None of a bar of the vendor's history.")
    gate_run: GateRun
    revisions: list[BarVersion] = Field(description="Every version ever accepted, oldest first; the last is the current one.")
    refused: Refused | None = Field(description="Where a newer version is in quarantine; the current one stays certified.")
