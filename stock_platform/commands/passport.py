"""The verb `stock-platform passport`: a certified bar's passport in words, as JSON, or held against its ticks.

Here stages are joined: the passport itself is read and verified in market, its JSON is the API's. Not here: either of them."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stock_platform import config
from stock_platform.adapters.clock import SystemClock
from stock_platform.commands.asked import require_watched
from stock_platform.contracts.bar_start import bar_start
from stock_platform.errors.passport import BarUnknown
from stock_platform.errors.restatement import StackNotRunning
from stock_platform.sentences import sentences

if TYPE_CHECKING:
    from stock_platform.market.passport import CheckResult, FlinkJob, Passport, Refused, Version
    from stock_platform.market.verification import Verification

_DataDir = Annotated[Path | None, typer.Option(help="Folder of all data; .stack in the clone by default.")]


def passport(
    symbol: Annotated[str, typer.Argument(help="As the watchlist has it, e.g. AAPL.")],
    ts: Annotated[str, typer.Argument(metavar="TS", help="Start of the bar with its zone, e.g. 2013-10-07T14:30Z.")],
    verify: Annotated[bool, typer.Option("--verify", help="Read the bar's ticks from Kafka again, and compare.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs; the answer of the API.")] = False,
    data_dir: _DataDir = None,
) -> None:
    """Where a certified bar comes from, who accepted it, what it was before. With --verify, exits with 1 if its ticks differ."""
    with sentences():
        settings = config.load(data_dir=data_dir)
        found = passport_of(settings, symbol.upper(), bar_start(ts))
        checked = verified(settings, found) if verify else None
    if as_json:
        typer.echo(json.dumps(document(found, checked), indent=2))
    else:
        for line in (*report(found, SystemClock().now()), *(verdict(checked) if checked else ())):
            typer.echo(line)
    raise typer.Exit(1 if checked and not checked.is_equal else 0)


def passport_of(settings: config.Settings, symbol: str, ts_start: datetime) -> "Passport":
    """Read the passport.

    Raises:
        StackNotRunning: Postgres does not answer.
        SymbolUnwatched: there is no bar, and nobody watches the symbol; and all of market/passport.read_passport.
    """
    from stock_platform.adapters.postgres import connect, server_problem
    from stock_platform.market.passport import read_passport

    dsn = settings.dsn("gate_owner")
    if server_problem(dsn):
        raise StackNotRunning(settings.profile, "a passport")
    with connect(dsn) as connection:
        try:
            return read_passport(connection, symbol, ts_start, dagster_address=settings.dagster_page)
        except BarUnknown:
            require_watched(connection, symbol)
            raise


def verified(settings: config.Settings, found: "Passport") -> "Verification":
    """Hold the bar against its ticks, or the vendor's bar against the vendor's answer.

    Raises:
        AnswerNotKept: the vendor's answer is gone.
        BrokerUnreachable, TopicMissing: Kafka does not answer; and all of market/verification.verify.
    """
    from stock_platform.adapters.kafka_records import open_records
    from stock_platform.adapters.postgres import connect
    from stock_platform.feed.archive_file import archive_path
    from stock_platform.market.verification import verify

    if found.current.response_path is not None:
        return _verified_with_vendor(settings, found)
    limit_s = 0 if settings.feed_kind == "tape" else settings.flink_late_limit_s
    late_limit = timedelta(seconds=limit_s) if limit_s else None
    archive = archive_path(settings.home, found.session_date)
    with (
        open_records(settings.kafka_bootstrap, found.kafka_topic) as reader,
        connect(settings.dsn("gate_owner")) as connection,
    ):
        return verify(found, connection, reader, late_limit=late_limit, archive=archive)


def _verified_with_vendor(settings: config.Settings, found: "Passport") -> "Verification":
    from stock_platform.adapters.postgres import connect
    from stock_platform.feed.yahoo.audit import read_raw
    from stock_platform.feed.yahoo.chart import Chart, parse_chart
    from stock_platform.market.vendor_verification import Stated, verify_with_vendor

    path, stated = settings.home / str(found.current.response_path), None
    if path.exists():
        answer = read_raw(path)
        chart = parse_chart(answer, now=answer.ts)
        bars = chart.bars if isinstance(chart, Chart) else ()
        said = next((bar for bar in bars if bar.ts_start == found.ts_start), None)
        stated = Stated(said._asdict() if said else {}, answer.ts)
    with connect(settings.dsn("gate_owner")) as connection:
        return verify_with_vendor(found, connection, stated)


def document(found: "Passport", checked: "Verification | None") -> dict[str, Any]:
    """The passport as the API answers it, with what came out of the verification."""
    from stock_platform.api.passport_shapes import Passport as Shape

    answer = Shape.model_validate(found, from_attributes=True).model_dump(mode="json")
    if checked is None:
        return answer
    fields = [
        {"name": field.name, "certified": _text(field.certified), "recomputed": _text(field.recomputed), "is_equal": field.is_equal}
        for field in checked.fields
    ]
    return {**answer, "verification": {"is_equal": checked.is_equal, "record_count": checked.record_count, "fields": fields}}


def report(found: "Passport", now: datetime) -> Iterator[str]:
    """What a person wants to know.

    Args:
        now: What the checkpoint's age is counted to.
    """
    bar, run = found.current, found.gate_run
    yield f"bar        {bar.symbol} {bar.ts_start:%Y-%m-%d %H:%M}Z, session {bar.session_date}, from {bar.source}"
    yield f"certified  {bar.verdict}, revision {bar.revision}, since {_text(bar.ts_valid_from)}"
    yield f"prices     {_prices(bar)}"
    yield f"volume     {_text(bar.volume)}, vwap {_text(bar.vwap)}"
    yield from _origin(found, now)
    yield f"accepted   by Dagster run {run.url}"
    yield f"code       {run.code_version or 'not written down by that run'}"
    yield _rules(run.checks)
    for check in run.checks:
        how = "held" if check.is_passed else f"broken by {check.failed_count} of {check.observed_count}: {check.detail}"
        yield f"           {check.check_name:<22} {check.severity:<11} {how}"
    yield f"revisions  {len(found.revisions)}, oldest first"
    for version in found.revisions:
        yield f"           {_revision(version)}"
    if found.refused:
        yield f"refused    {_refused(found.refused)}"


def _rules(checks: Sequence["CheckResult"]) -> str:
    """How many held; those of an old run are forgotten."""
    if not checks:
        return "rules      results are not kept any more: the run is older than STOCK_PLATFORM_RETENTION_ROWS_DAYS"
    return f"rules      {sum(check.is_passed for check in checks)} of {len(checks)} held, over the run's whole batch"


def verdict(checked: "Verification") -> Iterator[str]:
    """What the ticks, or the vendor's answer, say of the bar."""
    yield f"verified   against {checked.answer or f'{checked.record_count} records'}"
    origin = "the vendor's answer gives" if checked.answer else "the ticks give"
    for field in checked.fields:
        seen = "equal" if field.is_equal else f"different: recomputed {_text(field.recomputed)}"
        yield f"           {field.name:<22} {_text(field.certified):<26} {seen}"
    count = sum(not field.is_equal for field in checked.fields)
    yield f"           {origin} " + (f"another bar; fields that differ: {count}" if count else "this bar")


def _origin(found: "Passport", now: datetime) -> Iterator[str]:
    """The ticks with their place and job, or the vendor's answer."""
    bar = found.current
    if bar.response_path is not None:
        yield f"ticks      none: taken from {bar.source}'s history"
        yield f"answer     {bar.response_path}"
        return
    before = "nothing can be missing before them" if bar.is_continuous else "some may be missing before them"
    yield f"ticks      {bar.tick_count}, {_text(bar.ts_first_tick)} to {_text(bar.ts_last_tick)}; {before}"
    offsets = f"offsets {bar.kafka_offset_first} to {bar.kafka_offset_last}"
    yield f"kafka      {found.kafka_topic}, partition {bar.kafka_partition}, {offsets}"
    if found.flink_job is not None:
        yield f"flink      {_job(found.flink_job, now)}"


def _prices(bar: "Version") -> str:
    return f"open {_text(bar.open)}, high {_text(bar.high)}, low {_text(bar.low)}, close {_text(bar.close)}"


def _job(job: "FlinkJob", now: datetime) -> str:
    name = f"job {job.flink_job_id}" + (f" of restatement {job.restatement_id}" if job.restatement_id is not None else "")
    if not job.is_known:
        return f"{name}, not known any more"
    if job.checkpoint_path is None or job.ts_checkpoint is None:
        return f"{name}, {job.state}, without a checkpoint yet"
    return f"{name}, {job.state}, checkpoint {job.checkpoint_path}, {(now - job.ts_checkpoint).total_seconds():.0f} s old"


def _revision(version: "Version") -> str:
    until = _text(version.ts_valid_to) if version.ts_valid_to else "now"
    stretch = f"{version.revision}, {version.verdict}, {_text(version.ts_valid_from)} to {until}"
    return (
        f"{stretch}: {_prices(version)}, volume {_text(version.volume)}, {version.tick_count} ticks, run {version.dagster_run_id}"
    )


def _refused(refused: "Refused") -> str:
    rules = ", ".join(refused.rules)
    decided = f"; {refused.decision}" if refused.decision else ""
    return f"a newer version, at {_text(refused.ts_quarantined)} by run {refused.dagster_run_id}, because of {rules}{decided}"


def _text(value: object) -> str:
    """Plain decimals, instants in UTC to the millisecond, and a dash for what there is none of."""
    if value is None:
        return "-"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03}Z"
    return str(value)
