"""Kafka → 1-minute bars in plain Postgres: COPY of the ticks, then GROUP BY date_bin over the minutes that they touch.

Ticks are kept in a table whose key is their identity, so repeats and lateness of any size are right."""

import sys
from datetime import UTC, datetime

import msgspec
import psycopg
from confluent_kafka import Consumer

bootstrap, topic, dsn, table, group, _ = sys.argv[1:]
settings = {
    "group.id": group,
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
    "session.timeout.ms": 6_000,
    "fetch.wait.max.ms": 20,
    "queued.min.messages": 1_000_000,
    "queued.max.messages.kbytes": 1_048_576,
    "max.partition.fetch.bytes": 8_388_608,
}
tables = f"""
CREATE TABLE IF NOT EXISTS {table}_tick (symbol text, ts_event timestamptz, day_volume bigint, price numeric(18, 6), size bigint,
    PRIMARY KEY (symbol, ts_event, day_volume, price));
CREATE TEMP TABLE fresh (LIKE {table}_tick);
"""
fold = f"""
INSERT INTO {table}_tick SELECT * FROM fresh ON CONFLICT DO NOTHING;
INSERT INTO {table}
SELECT tick.symbol, touched.ts_start, (array_agg(price ORDER BY ts_event, day_volume, price))[1], max(price), min(price),
    (array_agg(price ORDER BY ts_event DESC, day_volume DESC, price DESC))[1], sum(size), count(*)
FROM (SELECT DISTINCT symbol, date_bin('1 minute', ts_event, '2000-01-01Z') AS ts_start FROM fresh) AS touched
JOIN {table}_tick AS tick
    ON tick.symbol = touched.symbol AND ts_event >= ts_start AND ts_event < ts_start + interval '1 minute'
GROUP BY tick.symbol, touched.ts_start
ON CONFLICT (symbol, ts_start) DO UPDATE SET open = excluded.open, high = excluded.high, low = excluded.low,
    close = excluded.close, volume = excluded.volume, tick_count = excluded.tick_count;
TRUNCATE fresh;
"""


class Tick(msgspec.Struct):
    symbol: str
    ts_event: int
    day_volume: int
    price: str
    size: int


decode = msgspec.json.Decoder(Tick).decode
consumer, database = Consumer({"bootstrap.servers": bootstrap, **settings}), psycopg.connect(dsn, autocommit=True)
database.execute(tables)
consumer.subscribe([topic])
print("ready")
while True:
    messages = [message for message in consumer.consume(50_000, 0.05) if not message.error()]
    if not messages:
        continue
    with database.transaction():
        with database.cursor() as cursor, cursor.copy("COPY fresh FROM STDIN") as copy:
            for tick in map(decode, (message.value() for message in messages)):
                ts_event = datetime.fromtimestamp(tick.ts_event / 1000, UTC)
                copy.write_row((tick.symbol, ts_event, tick.day_volume, tick.price, tick.size))
        database.execute(fold)
    consumer.commit(asynchronous=True)
