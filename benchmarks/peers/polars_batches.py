"""Kafka → 1-minute bars in Postgres with confluent-kafka and polars: micro-batches over a window of the last 15 minutes.

The window is of each partition by itself: while a backlog is read, one may be far ahead of another. It commits where its window
begins, so that a restart reads the window anew; a bar of fewer ticks never replaces one of more. A tick later than the window is
lost. Further arguments: the partitions of this process, all of them without."""

import sys

import polars as pl
import psycopg
from confluent_kafka import Consumer, TopicPartition

bootstrap, topic, dsn, table, group, _, *chosen = sys.argv[1:]
schema = {"symbol": pl.String, "price": pl.String, "size": pl.Int64, "day_volume": pl.Int64, "ts_event": pl.Int64}
bar = ["symbol", "minute"]
settings = {"group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False, "fetch.wait.max.ms": 20}
tuned = {"queued.min.messages": 1_000_000, "queued.max.messages.kbytes": 1_048_576, "max.partition.fetch.bytes": 8_388_608}
upsert = f"""
INSERT INTO {table} SELECT * FROM fresh
ON CONFLICT (symbol, ts_start) DO UPDATE SET open = excluded.open, high = excluded.high, low = excluded.low,
    close = excluded.close, volume = excluded.volume, tick_count = excluded.tick_count
WHERE excluded.tick_count >= {table}.tick_count
"""


def read(messages):
    lines = b"\n".join(message.value() for message in messages)
    places = {"partition": [message.partition() for message in messages], "offset": [message.offset() for message in messages]}
    ticks = pl.read_ndjson(lines, schema=schema).with_columns(pl.col("price").cast(pl.Decimal(18, 6)))
    return ticks.with_columns(minute=pl.col("ts_event") // 60_000 * 60_000).hstack(pl.DataFrame(places))


def bars(window, touched):
    ticks = window.join(touched, on=bar, how="semi").unique(["symbol", "day_volume", "ts_event", "price"])
    price = pl.col("price")
    columns = {
        "open": price.first(),
        "high": price.max(),
        "low": price.min(),
        "close": price.last(),
        "volume": pl.col("size").sum(),
    }
    built = ticks.sort("ts_event", "day_volume", "price").group_by(bar).agg(**columns, tick_count=pl.len())
    return built.with_columns(pl.from_epoch("minute", "ms").dt.replace_time_zone("UTC"))


consumer, database = Consumer({"bootstrap.servers": bootstrap, **settings, **tuned}), psycopg.connect(dsn, autocommit=True)
database.execute(f"CREATE TEMP TABLE fresh (LIKE {table})")
partitions = [int(each) for each in chosen] or consumer.list_topics(topic).topics[topic].partitions
consumer.assign(consumer.committed([TopicPartition(topic, partition) for partition in partitions]))
window = pl.DataFrame()
print("ready")
while True:
    messages = [message for message in consumer.consume(100_000, 0.05) if not message.error()]
    if not messages:
        continue
    batch = read(messages)
    window = pl.concat([window, batch]) if window.height else batch
    window = window.filter(pl.col("minute") >= pl.col("minute").max().over("partition") - 15 * 60_000)
    with database.transaction():
        with database.cursor() as cursor, cursor.copy("COPY fresh FROM STDIN") as copy:
            for row in bars(window, batch.select(bar).unique()).iter_rows():
                copy.write_row(row)
        database.execute(upsert)
        database.execute("TRUNCATE fresh")
    first = window.group_by("partition").agg(pl.col("offset").min()).iter_rows()
    consumer.commit(offsets=[TopicPartition(topic, partition, offset) for partition, offset in first], asynchronous=True)
