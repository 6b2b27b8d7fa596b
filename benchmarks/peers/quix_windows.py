"""Kafka → 1-minute bars in Postgres with quixstreams: tumbling windows with 30 s of grace, their newest state at each commit.

Further argument: `distinct` remembers each tick's id in the state store and lets it pass once."""

import sys
from datetime import UTC, datetime, timedelta

import psycopg
from quixstreams import Application
from quixstreams.sinks import BatchingSink

bootstrap, topic, dsn, table, group, folder, *asked = sys.argv[1:]
upsert = f"""
INSERT INTO {table} VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (symbol, ts_start) DO UPDATE SET open = excluded.open, high = excluded.high, low = excluded.low,
    close = excluded.close, volume = excluded.volume, tick_count = excluded.tick_count
"""


class Postgres(BatchingSink):
    def setup(self):
        self.database = psycopg.connect(dsn, autocommit=True)

    def write(self, batch):
        newest = {(item.key, item.value["start"]): item.value["value"] for item in batch}
        rows = [row(symbol, start, bar) for (symbol, start), bar in newest.items()]
        with self.database.transaction(), self.database.cursor() as cursor:
            cursor.executemany(upsert, rows)


def row(symbol, start, bar):
    symbol = symbol.decode() if isinstance(symbol, bytes) else symbol
    minute = datetime.fromtimestamp(start / 1000, UTC)
    return symbol, minute, bar["open"][1], bar["high"][1], bar["low"][1], bar["close"][1], bar["volume"], bar["count"]


def begin(tick):
    seen, price = [[tick["ts_event"], tick["day_volume"]], tick["price"]], [float(tick["price"]), tick["price"]]
    return {"open": seen, "close": seen, "high": price, "low": price, "volume": tick["size"], "count": 1}


def add(bar, tick):
    fresh = begin(tick)
    bar["open"], bar["close"] = min(bar["open"], fresh["open"]), max(bar["close"], fresh["close"])
    bar["high"], bar["low"] = max(bar["high"], fresh["high"]), min(bar["low"], fresh["low"])
    bar["volume"], bar["count"] = bar["volume"] + fresh["volume"], bar["count"] + 1
    return bar


def is_new(tick, state):
    if state.exists(tick["tick_id"]):
        return False
    state.set(tick["tick_id"], 1)
    return True


app = Application(
    broker_address=bootstrap,
    consumer_group=group,
    auto_offset_reset="earliest",
    state_dir=folder,
    commit_interval=1.0,
    loglevel="WARNING",
    consumer_extra_config={"session.timeout.ms": 6_000},
)
ticks = app.topic(topic, key_deserializer="str", value_deserializer="json", timestamp_extractor=lambda value, *_: value["ts_event"])
frame = app.dataframe(ticks)
if "distinct" in asked:
    frame = frame.filter(is_new, stateful=True)
frame = frame.tumbling_window(timedelta(minutes=1), grace_ms=timedelta(seconds=30)).reduce(add, begin).current()
frame.sink(Postgres())
print("ready")
app.run()
