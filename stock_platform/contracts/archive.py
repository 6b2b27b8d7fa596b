"""Record of the tick archive: a session's ticks as Parquet, in the format of a tape, so that any session can be played again."""

from stock_platform.contracts.columns import columns
from stock_platform.contracts.record import Record
from stock_platform.contracts.tick import SESSION_PHASES, SOURCES

ARCHIVED_TICK = Record(
    address="archive.tick",
    grain="one row per tick of a session, repeats and other lines' copies left out; one file per session",
    meaning="What Kafka had of a session: the tape that its bars were made of, and can be made of again.",
    key=("symbol", "day_volume", "ts_event", "price"),
    columns=columns(
        "ts_event symbol price size day_volume previous_close session_phase currency calendar source line is_suspect "
        "is_continuous tick_id kafka_partition kafka_offset"
    ),
    nullable=frozenset({"size", "day_volume", "previous_close"}),
    closed_sets={"session_phase": SESSION_PHASES, "source": SOURCES},
)
