"""Kafka → 1-minute bars in Postgres with pathway: a GROUP BY over all ticks ever seen, its changes written as they come.

Further argument: `distinct` groups by the tick's identity first. It keeps every tick in memory; a restart begins anew."""

import sys
from datetime import UTC, datetime
from decimal import Decimal

import pathway as pw
import psycopg

bootstrap, topic, dsn, table, group, _, *asked = sys.argv[1:]
upsert = f"""
INSERT INTO {table} VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (symbol, ts_start) DO UPDATE SET open = excluded.open, high = excluded.high, low = excluded.low,
    close = excluded.close, volume = excluded.volume, tick_count = excluded.tick_count
"""


class Tick(pw.Schema):
    symbol: str
    price: str
    size: int
    day_volume: int
    ts_event: int


class Changes(pw.io.python.ConnectorObserver):
    def __init__(self):
        self.database, self.rows = psycopg.connect(dsn, autocommit=True), []

    def on_change(self, key, row, time, is_addition):
        if is_addition:
            minute = datetime.fromtimestamp(row["minute"] / 1000, UTC)
            prices = row["first"][2], Decimal(row["high"]) / 1_000_000, Decimal(row["low"]) / 1_000_000, row["last"][2]
            self.rows.append((row["symbol"], minute, *prices, row["volume"], row["tick_count"]))

    def on_time_end(self, time):
        with self.database.transaction(), self.database.cursor() as cursor:
            cursor.executemany(upsert, self.rows)
        self.rows = []

    def on_end(self):
        self.database.close()


settings = {"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest", "session.timeout.ms": "6000"}
ticks = pw.io.kafka.read(settings, topic=topic, schema=Tick, format="json", autocommit_duration_ms=100)
if "distinct" in asked:
    identity = (ticks.symbol, ticks.day_volume, ticks.ts_event, ticks.price)
    ticks = ticks.groupby(*identity).reduce(*identity, size=pw.reducers.any(ticks.size))
ticks = ticks.with_columns(
    minute=ticks.ts_event // 60_000 * 60_000,
    micro=pw.apply_with_type(lambda price: int(Decimal(price) * 1_000_000), int, ticks.price),
    place=pw.make_tuple(ticks.ts_event, ticks.day_volume, ticks.price),
)
bars = ticks.groupby(ticks.symbol, ticks.minute).reduce(
    ticks.symbol,
    ticks.minute,
    first=pw.reducers.min(ticks.place),
    last=pw.reducers.max(ticks.place),
    high=pw.reducers.max(ticks.micro),
    low=pw.reducers.min(ticks.micro),
    volume=pw.reducers.sum(ticks.size),
    tick_count=pw.reducers.count(),
)
pw.io.python.write(bars, Changes())
print("ready")
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
