"""Every column, once: the same name means the same thing, in the same unit, in every table and topic."""

from stock_platform.contracts.record import Column, Type

_ALL = (
    # identity
    Column("symbol", Type.TEXT, "Instrument as its vendor names it, e.g. AAPL."),
    Column("name", Type.TEXT, "Name of the instrument for people."),
    Column("sector", Type.TEXT, "Sector of the issuer, or the kind of fund or currency."),
    Column("currency", Type.TEXT, "ISO 4217 code of prices; minor units as the vendor writes them (GBp)."),
    Column("calendar", Type.TEXT, "Name of the exchange calendar (XNYS, 24/7)."),
    Column("provider", Type.TEXT, "Vendor that supplies the instrument."),
    Column("source", Type.TEXT, "Where it came from: yahoo, simulator or tape."),
    Column("line", Type.TEXT, "Feed line: one shard's worth of symbols on one connection set."),
    Column("line_seq", Type.QUANTITY, "Position of the tick in its line's own order.", "count"),
    Column("tick_id", Type.TEXT, "Hash of (symbol, day_volume, ts_event, price), the tick's identity."),
    # prices and sizes
    Column("price", Type.PRICE, "Last sale.", "currency"),
    Column("previous_close", Type.PRICE, "Close of the session before.", "currency"),
    Column("change_pct", Type.PRICE, "Change of the price since previous_close.", "percent"),
    Column(
        "day_volume",
        Type.QUANTITY,
        "Cumulative volume of the regular session up to and with this tick; null for coins and currencies, which have none.",
        "units",
    ),
    Column("size", Type.QUANTITY, "Size of this trade, where the vendor tells it.", "units"),
    Column("open", Type.PRICE, "First price in event time.", "currency"),
    Column("high", Type.PRICE, "Highest price.", "currency"),
    Column("low", Type.PRICE, "Lowest price.", "currency"),
    Column("close", Type.PRICE, "Last price in event time.", "currency"),
    Column("volume", Type.QUANTITY, "Traded volume, closed at the bar's boundary where known; null if day_volume is.", "units"),
    Column("vwap", Type.PRICE, "Volume-weighted average price; null where nothing was traded, or no volume is known.", "currency"),
    Column("tick_count", Type.QUANTITY, "Distinct ticks in the bar.", "count"),
    Column("bar_count", Type.QUANTITY, "Certified 1-minute bars inside.", "count"),
    Column("day_volume_first", Type.QUANTITY, "Lowest cumulative volume seen in the bar.", "units"),
    Column("day_volume_last", Type.QUANTITY, "Highest cumulative volume seen in the bar.", "units"),
    Column("price_first", Type.PRICE, "Price at day_volume_first.", "currency"),
    Column("notional_inside", Type.MONEY, "Sum of price x rise of cumulative volume, inside the bar.", "currency"),
    # adjusted for corporate actions; the raw columns never are
    *(
        Column(f"{name}_split_adjusted", Type.PRICE, f"{name} x split_factor: in today's shares.", "currency")
        for name in ("open", "high", "low", "close", "vwap")
    ),
    Column("volume_split_adjusted", Type.QUANTITY, "volume x split_ratio, rounded to whole ones: in today's shares.", "units"),
    *(
        Column(
            f"{name}_total_return_adjusted",
            Type.PRICE,
            f"{name} x split_factor x dividend_factor: as if later payments were invested again; null if dividend_factor is.",
            "currency",
        )
        for name in ("open", "high", "low", "close")
    ),
    Column("factor", Type.MULTIPLIER, "What this action alone multiplies earlier prices by; null where it is left out."),
    Column(
        "split_ratio", Type.MULTIPLIER, "Today's shares for an old one, over all later splits; of an action, its own with them."
    ),
    Column("split_factor", Type.MULTIPLIER, "Product of the factors of all later splits; of an action, its own with them."),
    Column(
        "dividend_factor",
        Type.MULTIPLIER,
        "Product of the factors of all later payments; of an action, its own with them. Null where one of them is left out.",
    ),
    Column("session_date_before", Type.DAY, "Session of close_before."),
    Column(
        "close_before", Type.PRICE, "Last certified close before the ex-date; null for a split, and if there is none.", "currency"
    ),
    # instants
    Column("ts_event", Type.INSTANT, "When the trade happened, by the vendor's clock."),
    Column("ts_recv", Type.INSTANT, "When our feed received it."),
    Column("ts_start", Type.INSTANT, "Start of the bar, inclusive."),
    Column("ts_end", Type.INSTANT, "End of the bar, exclusive."),
    Column("ts_first_tick", Type.INSTANT, "Event time of the bar's first tick."),
    Column("ts_last_tick", Type.INSTANT, "Event time of the bar's last tick."),
    Column("ts_landed", Type.INSTANT, "When the row last changed in staging."),
    Column("ts_accepted", Type.INSTANT, "When the gate accepted this revision."),
    Column("ts_refused", Type.INSTANT, "When a version of the bar was last refused."),
    Column("ts_quarantined", Type.INSTANT, "When the gate refused this version."),
    Column("ts_valid_from", Type.INSTANT, "Since when this revision was the accepted one."),
    Column("ts_valid_to", Type.INSTANT, "Until when it was; null for the current one."),
    Column("ts_open", Type.INSTANT, "Regular open, inclusive."),
    Column("ts_close", Type.INSTANT, "Regular close, exclusive."),
    Column("ts_pre", Type.INSTANT, "Start of the pre-market, inclusive; ts_open where there is none."),
    Column("ts_post_end", Type.INSTANT, "End of the post-market, exclusive; ts_close where there is none."),
    Column("ts_break_start", Type.INSTANT, "Start of the lunch break, inclusive; null where there is none."),
    Column("ts_break_end", Type.INSTANT, "End of the lunch break, exclusive."),
    Column("ts_started", Type.INSTANT, "When it was started."),
    Column("ts_ended", Type.INSTANT, "When it was over; null while it goes on."),
    Column("ts_heartbeat", Type.INSTANT, "When it last said that it lives."),
    Column("ts_clock", Type.INSTANT, "Event time up to which every tick of the line is acknowledged by Kafka."),
    Column("ts_event_last", Type.INSTANT, "Event time of the newest tick."),
    Column("ts_recv_last", Type.INSTANT, "When the vendor was last heard, whatever it said."),
    Column("ts_gap_start", Type.INSTANT, "Last that was heard before the gap."),
    Column("ts_gap_end", Type.INSTANT, "When the vendor could be heard again."),
    Column("ts_dead", Type.INSTANT, "When the message was refused."),
    Column("ts_checked", Type.INSTANT, "When the check was run."),
    Column("ts_updated", Type.INSTANT, "When the row was last computed."),
    Column("session_date", Type.DAY, "Trading day, named by the exchange."),
    Column("is_assumed", Type.FLAG, "Beyond the calendar's table: weekday hours, holidays unknown."),
    Column("session_phase", Type.TEXT, "Part of the session by the exchange's calendar."),
    # the vendor's history
    Column("is_edge", Type.FLAG, "First or last minute of its day with volume 0: the vendor leaves that volume out."),
    Column("response_path", Type.TEXT, "Raw answer that the row was read from, below the profile's folder."),
    Column("ex_date", Type.DAY, "First trading day, at the exchange, on which the action is in the price."),
    Column("kind", Type.TEXT, "Kind of corporate action."),
    Column("ratio", Type.FACTOR, "New shares for one old share: 7 for a 7:1 split, 0.1 for a 1:10 one; null for payments."),
    Column("amount", Type.PRICE, "Payment per share, adjusted by the vendor for later splits; null for splits.", "currency"),
    Column("instrument_type", Type.TEXT, "Kind of instrument as the vendor names it, e.g. EQUITY, ETF, CRYPTOCURRENCY."),
    Column("exchange", Type.TEXT, "Exchange as the vendor names it, e.g. NMS."),
    Column("zone", Type.TEXT, "IANA time zone of the exchange."),
    Column("first_trade_date", Type.DAY, "Day of the first trade that the vendor has, UTC."),
    Column("delay_s", Type.QUANTITY, "How much later than real time the vendor shows the exchange.", "s"),
    # judgement
    Column("revision", Type.QUANTITY, "1 for the first accepted version of a bar, then rising.", "count"),
    Column("verdict", Type.TEXT, "What the gate said of the bar."),
    Column("is_suspect", Type.FLAG, "The feed's filter doubts the tick."),
    Column("is_continuous", Type.FLAG, "Nothing of the symbol can be missing between the record and the one before."),
    Column("reason", Type.TEXT, "Why it was refused, in one word or a rule's name."),
    Column("rules", Type.TEXT, "Names of the rules that the row broke, comma-separated."),
    Column("check_name", Type.TEXT, "Name of the rule or check."),
    Column("severity", Type.TEXT, "What a failure does: quarantine the row, mark it, or block the batch."),
    Column("is_passed", Type.FLAG, "Whether the check held."),
    Column("observed_count", Type.QUANTITY, "Rows looked at.", "count"),
    Column("failed_count", Type.QUANTITY, "Rows that failed.", "count"),
    Column("detail", Type.TEXT, "What was seen, for a person."),
    # lineage
    Column("dagster_run_id", Type.TEXT, "Dagster run that wrote the row."),
    Column("restatement_id", Type.QUANTITY, "Number of the restatement that the row belongs to."),
    Column("ticks_from", Type.TEXT, "Where the ticks came from: offsets of the topic, or the session's archive."),
    Column("flink_job_id", Type.TEXT, "Flink job that computed the row."),
    Column("kafka_topic", Type.TEXT, "Topic of the message."),
    Column("kafka_partition", Type.QUANTITY, "Partition of the message or of the bar's ticks."),
    Column("kafka_offset", Type.QUANTITY, "Offset of the message; null where it never reached the topic."),
    Column("kafka_offset_first", Type.QUANTITY, "Lowest offset among the bar's ticks, repeats included."),
    Column("kafka_offset_last", Type.QUANTITY, "Highest offset among the bar's ticks, repeats included."),
    Column("tick_count_refused", Type.QUANTITY, "Distinct ticks in the version that was refused.", "count"),
    Column("kafka_offset_first_refused", Type.QUANTITY, "Lowest offset among the ticks of the version that was refused."),
    Column("payload_base64", Type.TEXT, "Original bytes of the message."),
    # operations
    Column("job_name", Type.TEXT, "Name of the Flink job."),
    Column("state", Type.TEXT, "State as its owner names it."),
    Column("ts_checkpoint", Type.INSTANT, "When the newest checkpoint was complete."),
    Column("checkpoint_ms", Type.QUANTITY, "How long the newest checkpoint took.", "ms"),
    Column("lag_count", Type.QUANTITY, "Records of market.ticks.v1 that no checkpoint covers yet.", "count"),
    Column("parallelism", Type.QUANTITY, "How many pieces of the job work side by side.", "count"),
    Column("restored_from", Type.TEXT, "State that the job took over; null where it began without any."),
    Column("plan", Type.TEXT, "Fingerprint of the job: a state fits only a job of the same plan."),
    Column("restart_count", Type.QUANTITY, "Restarts of the job since its submission.", "count"),
    Column("checkpoint_path", Type.TEXT, "Newest completed checkpoint."),
    Column("checkpoint_bytes", Type.QUANTITY, "Size of the newest completed checkpoint.", "bytes"),
    Column("reject_count", Type.QUANTITY, "Ticks refused by the feed since its start.", "count"),
    Column("suspect_count", Type.QUANTITY, "Ticks published with a doubt since the line's start.", "count"),
    Column("duplicate_count", Type.QUANTITY, "Messages that said nothing new since the line's start.", "count"),
    Column("late_count", Type.QUANTITY, "Ticks older than one already accepted, since the line's start.", "count"),
    Column("polled_count", Type.QUANTITY, "Prices asked for by the batch quote request since the line's start.", "count"),
    Column("gap_count", Type.QUANTITY, "Gaps since the line's start.", "count"),
    Column("unknown_fields", Type.TEXT, "Vendor's fields and market hours that nobody has described, as number:count."),
    Column("shard", Type.QUANTITY, "Which part of the watchlist the line reads."),
    Column("redundancy", Type.QUANTITY, "How many lines read the same shard then.", "count"),
    Column("symbols", Type.TEXT, "Symbols, separated by blanks."),
    Column("last_error", Type.TEXT, "Newest error, for a person."),
    # statistics of a session
    Column("range_pct", Type.RATIO, "(high - low) / open.", "percent"),
    Column("return_pct", Type.RATIO, "close / open - 1.", "percent"),
    Column("gap_pct", Type.RATIO, "open / previous session's close - 1.", "percent"),
    Column("realised_volatility_pct", Type.RATIO, "Square root of the sum of squared 1-minute log returns.", "percent"),
)

COLUMNS = {column.name: column for column in _ALL}


def columns(names: str) -> tuple[Column, ...]:
    """Columns by their names, separated by blanks, in that order."""
    return tuple(COLUMNS[name] for name in names.split())
