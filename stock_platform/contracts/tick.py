"""Records of the streaming half: tick and dead letter on Kafka, quote on Kafka and in Postgres."""

from stock_platform.contracts.columns import columns
from stock_platform.contracts.record import Record

SESSION_PHASES = ("pre", "regular", "post", "closed")
SOURCES = ("yahoo", "simulator", "tape")
LONGEST_TICK_BYTES = 1024 * 1024
"""Largest batch that the topic of ticks takes: a feed's client fills one with up to 1,000,000 bytes of ticks."""
LONGEST_LETTER_BYTES = 2 * LONGEST_TICK_BYTES
"""A message that fills such a batch must fit into its letter: base64 adds a third, the reason some hundred bytes."""

TICK = Record(
    address="market.ticks.v1",
    grain="one message per last-sale update of a symbol and line; key = symbol",
    meaning="What the feed accepted. At least once: a repeat has the same identity (symbol, day_volume, ts_event, price).",
    key=("tick_id",),
    columns=columns(
        "symbol price day_volume size ts_event ts_recv session_phase currency previous_close source line line_seq tick_id "
        "is_suspect is_continuous"
    ),
    nullable=frozenset({"day_volume", "size", "previous_close"}),
    closed_sets={"session_phase": SESSION_PHASES, "source": SOURCES},
)

DEAD_LETTER = Record(
    address="market.ticks.dlq.v1",
    grain="one message per refused message; a restart may repeat the newest ones",
    meaning="What the feed or the stream job refused: the reason, the original bytes and where they were.",
    key=("kafka_topic", "kafka_partition", "kafka_offset", "reason"),
    columns=columns("reason detail payload_base64 kafka_topic kafka_partition kafka_offset ts_dead"),
    nullable=frozenset({"kafka_topic", "kafka_partition", "kafka_offset"}),
)

_QUOTE = "symbol price previous_close change_pct day_volume currency session_phase ts_event ts_recv source"
_QUOTE_NULLABLE = frozenset({"previous_close", "change_pct", "day_volume"})

QUOTE_UPDATE = Record(
    address="market.quotes.v1",
    grain="one message per accepted tick; key = symbol; compacted",
    meaning="Provisional last sale, in arrival order: a reader keeps the newest by (ts_event, day_volume, price).",
    key=("symbol",),
    columns=columns(_QUOTE),
    nullable=_QUOTE_NULLABLE,
    closed_sets={"session_phase": SESSION_PHASES, "source": SOURCES},
)

QUOTE = Record(
    address="market.quote",
    grain="one row per symbol",
    meaning="Provisional last sale, the newest by (ts_event, day_volume, price) in any order of arrival.",
    key=("symbol",),
    columns=columns(f"{_QUOTE} ts_landed"),
    nullable=_QUOTE_NULLABLE,
    defaulted=frozenset({"ts_landed"}),
    closed_sets={"session_phase": SESSION_PHASES, "source": SOURCES},
)
