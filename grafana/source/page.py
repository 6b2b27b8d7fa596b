"""A whole dashboard: its variables, annotations and panels, with what all of them have in common.

Schema 42 of the v1 JSON, which Grafana 12 and 13 load; the builders' own number is older."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import Dashboard, DashboardCursorSync, VariableOption, VariableRefresh, VariableSort

from grafana.source.links import addresses, top_links
from grafana.source.query import DATASOURCE, Sql

SCHEMA = 42


@dataclass(frozen=True, eq=False)
class Page:
    """One dashboard.

    Args:
        folder: Which folder of Grafana it lies in.
        uid: Its address, and its file's name.
        zone: In which clock its times are shown.
        since: What the time range begins with, as Grafana writes it.
        assets: Dagster's assets behind it.
    """

    folder: Literal["market", "operations"]
    uid: str
    title: str
    description: str
    panels: Sequence[Any]
    since: str
    refresh: str
    zone: str = "browser"
    variables: Sequence[Any] = ()
    annotations: Sequence[Any] = ()
    assets: Sequence[str] = field(default_factory=tuple)

    def dashboard(self) -> Dashboard:
        """As Grafana reads it."""
        builder = (
            dashboard.Dashboard(self.title)
            .uid(self.uid)
            .description(self.description)
            .tags(["stock-platform", self.folder])
            .timezone(self.zone)
            .refresh(self.refresh)
            .time(self.since, "now")
            .timepicker(dashboard.TimePicker().refresh_intervals(["5s", "10s", "30s", "1m", "5m"]))
            .tooltip(DashboardCursorSync.CROSSHAIR)
            .readonly()
            .variables([*self.variables, *addresses()])
            .annotations(list(self.annotations))
            .links(top_links(*self.assets))
        )
        for number, panel in enumerate(self.panels, start=1):
            builder.with_panel(panel.id(number))
        built = builder.build()
        built.schema_version = SCHEMA
        return built


def chosen(name: str, label: str, sql: str, *, current: str | None = None, many: bool = False) -> Any:
    """A variable whose values are queried, anew when the time range changes; nothing else can be typed in.

    Its query is plain text: Grafana before 12.4 takes nothing else, later ones take it too.
    """
    variable = (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query(sql)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.DISABLED)
        .multi(many)
        .include_all(False)
        .allow_custom_value(False)
    )
    if current is not None:
        value: Any = [current] if many else current
        variable.current(VariableOption(True, value, value))
    return variable


def listed(name: str, label: str, values: dict[str, str]) -> Any:
    """A variable with a few known values, by the text that is shown."""
    options = [VariableOption(number == 0, text, value) for number, (text, value) in enumerate(values.items())]
    told = ",".join(f"{text} : {value}" for text, value in values.items())
    return dashboard.CustomVariable(name).label(label).values(told).options(options).current(options[0]).allow_custom_value(False)


def marked(name: str, colour: str, sql: str, *, is_on: bool = True) -> Any:
    """Marks on every chart, from a query with time, text, and timeend where a mark is a stretch of time."""
    mark = dashboard.AnnotationQuery().name(name).datasource(DATASOURCE).icon_color(colour).enable(is_on).hide(False)
    return mark.target(Sql(sql))  # pyright: ignore[reportArgumentType]


SYMBOLS = "SELECT symbol FROM reference.instrument ORDER BY symbol LIMIT 500"
CALENDARS = "SELECT DISTINCT calendar FROM reference.instrument ORDER BY calendar DESC LIMIT 50"
SESSIONS = """\
SELECT session_date::text AS session
FROM reference.session
WHERE calendar = ${calendar:sqlstring} AND ts_open <= $__timeTo() AND ts_open >= $__timeTo()::timestamptz - interval '120 days'
ORDER BY session_date DESC
LIMIT 90"""


def calendar() -> Any:
    """Whose sessions are offered."""
    return chosen("calendar", "Exchange", CALENDARS, current="XNYS")


def session() -> Any:
    """A session of the calendar, the newest one first."""
    return chosen("session", "Session", SESSIONS)


def symbols() -> Any:
    """One or more symbols."""
    return chosen("symbol", "Symbol", SYMBOLS, current="SPY", many=True)
