"""A SQL query as Grafana's PostgreSQL datasource wants it: of a panel, an annotation or a variable.

The builders know no such query; this is the one that they lack."""

from typing import Any, Literal, Self

from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models.dashboard import DataSourceRef

PLUGIN = "grafana-postgresql-datasource"
UID = "stock-platform"
DATASOURCE = DataSourceRef(PLUGIN, UID)

Form = Literal["table", "time_series"]


class SqlQuery(variants.Dataquery):
    """One query.

    Args:
        form: `time_series` turns a text column into labels of its series.
    """

    def __init__(self, sql: str = "", form: Form = "table") -> None:
        self.sql = sql
        self.form = form

    def to_json(self) -> dict[str, object]:
        """As it stands in a dashboard."""
        return {
            "refId": "A",
            "datasource": DATASOURCE,
            "editorMode": "code",
            "rawQuery": True,
            "format": self.form,
            "rawSql": self.sql,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Back from a dashboard."""
        return cls(data["rawSql"], data["format"])


class Sql(builder.Builder[SqlQuery]):
    """What a panel's `with_target` takes."""

    def __init__(self, sql: str, form: Form = "table") -> None:
        self._query = SqlQuery(sql, form)

    def build(self) -> SqlQuery:
        """The query."""
        return self._query
