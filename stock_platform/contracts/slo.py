"""Records of the service level: how complete a session is, how late its bars were, how long each hop took, the error budget."""

from enum import StrEnum

from stock_platform.contracts.columns import columns
from stock_platform.contracts.record import Record

OBJECTIVE = 0.999
"""Good minutes of counted ones, over WINDOW_SESSIONS; as in the view ops.error_budget."""
WINDOW_SESSIONS = 30
LATENCY_P50_S, LATENCY_P99_S = 8.0, 15.0
"""How late after its end a bar that came live is certified."""


class Hop(StrEnum):
    """A stretch of a tick's or a bar's way that is measured.

    Kafka's time of a tick is the feed's time of receipt, by design: Kafka's part alone is not to be told."""

    EVENT_TO_RECEIVED = "event_to_received"
    """Ticks: from the vendor's time of the trade to our feed."""
    RECEIVED_TO_FLINK = "received_to_flink"
    """Ticks: from our feed through Kafka to when Flink has read the tick and hands its quote to market.quotes.v1."""
    FLINK_TO_STAGING = "flink_to_staging"
    """Bars: from the quote of the bar's last tick to the bar's row in staging."""
    EVENT_TO_STAGING = "event_to_staging"
    """Bars: from the trade of the bar's last tick to its row in staging."""
    CLOSED_TO_CERTIFIED = "closed_to_certified"
    """Bars: from when the bar was over and in staging to when the gate accepted it."""
    EVENT_TO_CERTIFIED = "event_to_certified"
    """Bars, the whole way: from the bar's end to when the gate accepted it."""


HOPS = tuple(hop.value for hop in Hop)

SLO_SESSION = Record(
    address="ops.slo_session",
    grain="one row per session and symbol that is watched in it",
    meaning="How many of the session's closed minutes have a certified bar, and how late the bars were that came live. Latencies "
    "are null where none did: a replay, a delayed exchange, a session that was repaired.",
    key=("session_date", "symbol"),
    columns=columns(
        "session_date symbol calendar session_minute_count excused_minute_count good_minute_count good_ratio latency_p50_s "
        "latency_p95_s latency_p99_s dagster_run_id ts_updated"
    ),
    nullable=frozenset({"good_ratio", "latency_p50_s", "latency_p95_s", "latency_p99_s"}),
)

LATENCY_MINUTE = Record(
    address="ops.latency_minute",
    grain="one row per minute and hop of which anything was measured",
    meaning="How long each hop took of the minute's ticks and bars. Ticks are a sample: the newest quotes of each "
    "partition of market.quotes.v1. Nothing is measured of replays and of delayed exchanges.",
    key=("ts_minute", "hop"),
    columns=columns("ts_minute hop observation_count p50_ms p95_ms p99_ms max_ms dagster_run_id ts_updated"),
    closed_sets={"hop": HOPS},
)

ERROR_BUDGET = Record(
    address="ops.error_budget",
    grain="one row per session and calendar, and one for ALL of them",
    meaning="What the session spent of the error budget, and what the 30 newest sessions up to it leave of theirs.",
    key=("session_date", "calendar"),
    columns=columns(
        "session_date calendar objective_ratio counted_minute_count spent_minute_count good_ratio burn_rate session_30_count "
        "counted_30_minute_count spent_30_minute_count budget_30_minutes budget_left_ratio"
    ),
)
