"""Names that programs without anything installed need too (tools/make-env): the prefix of variables, the roles of the database."""

PREFIX = "STOCK_PLATFORM_"
ROLES = ("admin", "dagster", "flink_writer", "feed_writer", "gate_owner", "api_reader", "grafana_reader")
