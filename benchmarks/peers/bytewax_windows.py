"""Kafka → 1-minute bars in Postgres with bytewax: event-time windows that wait 30 s, each written once when it closes.

It reads what the topic holds and ends, so that its last windows close too; without a recovery store a restart begins anew.
Further argument: `distinct` keeps each tick of a window once."""

import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import bytewax.operators as op
import bytewax.operators.windowing as windows
import msgspec
import psycopg
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

bootstrap, topic, dsn, table, _, _, *asked = sys.argv[1:]
upsert = f"""
INSERT INTO {table} VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (symbol, ts_start) DO UPDATE SET open = excluded.open, high = excluded.high, low = excluded.low,
    close = excluded.close, volume = excluded.volume, tick_count = excluded.tick_count
"""


class Tick(msgspec.Struct, frozen=True):
    symbol: str
    ts_event: int
    day_volume: int
    price: str
    size: int


class Bars(StatelessSinkPartition):
    def __init__(self):
        self.database = psycopg.connect(dsn, autocommit=True)

    def write_batch(self, items):
        with self.database.transaction(), self.database.cursor() as cursor:
            cursor.executemany(upsert, [row(symbol, ticks) for symbol, (_, ticks) in items])


class Postgres(DynamicSink):
    def build(self, step_id, worker_index, worker_count):
        return Bars()


def row(symbol, ticks):
    ticks = sorted(set(ticks) if "distinct" in asked else ticks, key=lambda tick: (tick.ts_event, tick.day_volume))
    prices = [Decimal(tick.price) for tick in ticks]
    minute = datetime.fromtimestamp(ticks[0].ts_event // 60_000 * 60, UTC)
    volume = sum(tick.size for tick in ticks)
    return symbol, minute, prices[0], max(prices), min(prices), prices[-1], volume, len(ticks)


decode = msgspec.json.Decoder(Tick).decode
flow = Dataflow("bars")
messages = op.input("ticks", flow, KafkaSource([bootstrap], [topic], tail=False, batch_size=10_000))
keyed = op.map("decode", messages, lambda message: (message.key.decode(), decode(message.value)))
clock = windows.EventClock(lambda tick: datetime.fromtimestamp(tick.ts_event / 1000, UTC), timedelta(seconds=30))
minutes = windows.TumblingWindower(length=timedelta(minutes=1), align_to=datetime(2000, 1, 1, tzinfo=UTC))
op.output("bars", windows.collect_window("minutes", keyed, clock, minutes).down, Postgres())
print("ready")
run_main(flow)
