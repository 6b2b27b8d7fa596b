"""Records that do not flow: instruments, sessions, and what the operators' pages read."""

from stock_platform.contracts.columns import columns
from stock_platform.contracts.record import Record
from stock_platform.contracts.tick import SOURCES

INSTRUMENT = Record(
    address="reference.instrument",
    grain="one row per symbol",
    meaning="What is watched; loaded from the watchlist.",
    key=("symbol",),
    columns=columns("symbol name sector currency calendar provider tick_size"),
    nullable=frozenset({"tick_size"}),
)

SESSION = Record(
    address="reference.session",
    grain="one row per calendar and trading day",
    meaning="Hours of every session, with extended hours and break; from the rendered calendars, refreshed each day.",
    key=("calendar", "session_date"),
    columns=columns("calendar session_date ts_open ts_close ts_pre ts_post_end ts_break_start ts_break_end is_assumed"),
    nullable=frozenset({"ts_break_start", "ts_break_end"}),
)

LINE_STATES = ("starting", "running", "ended", "failed", "stopped", "drained", "retired")

FEED_LINE = Record(
    address="ops.feed_line",
    grain="one row per feed line",
    meaning="Heartbeat of each line; a worker whose run id is no longer here ends itself.",
    key=("line",),
    columns=columns(
        "line dagster_run_id source state ts_started ts_heartbeat ts_clock ts_event_last tick_count reject_count last_error "
        "shard symbols ts_recv_last suspect_count duplicate_count late_count polled_count unknown_fields gap_count "
        "ts_gap_start ts_gap_end"
    ),
    nullable=frozenset({"ts_clock", "ts_event_last", "last_error", "ts_recv_last", "ts_gap_start", "ts_gap_end"}),
    closed_sets={"source": SOURCES, "state": LINE_STATES},
)

FEED_GAP = Record(
    address="ops.feed_gap",
    grain="one row per line and stretch of time in which the line could not hear some symbols",
    meaning="What a line may have missed; ops.symbol_gap says what no line heard.",
    key=("line", "ts_gap_start", "symbols"),
    columns=columns("line ts_gap_start ts_gap_end symbols shard redundancy detail"),
)

FLINK_JOB = Record(
    address="ops.flink_job",
    grain="one row per Flink job name",
    meaning="Last seen state of the stream job, every few seconds; `refused` where its state does not fit it, with the reason.",
    key=("job_name",),
    columns=columns(
        "job_name flink_job_id state restart_count checkpoint_path checkpoint_bytes ts_started ts_heartbeat "
        "ts_checkpoint checkpoint_ms lag_count parallelism restored_from plan last_error"
    ),
    nullable=frozenset(
        "checkpoint_path checkpoint_bytes ts_started ts_checkpoint checkpoint_ms lag_count parallelism restored_from plan "
        "last_error".split()
    ),
)

ALERT = Record(
    address="ops.alert",
    grain="one row per trouble, from its beginning to its end",
    meaning="What a person is to know of. A blocked batch holds its session: nothing is made of it until a batch of it passes.",
    key=("alert_id",),
    columns=columns("alert_id alert_name session_date detail dagster_run_id ts_raised ts_cleared cleared_by_run cleared_reason"),
    nullable=frozenset({"ts_cleared", "cleared_by_run", "cleared_reason"}),
    defaulted=frozenset({"alert_id"}),
)
