"""Panels as this project draws them: each with a title, a description, one query, a size and units."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grafana_foundation_sdk.builders import barchart, bargauge, candlestick, common, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.models.common import GraphDrawStyle, StackingMode, VisibilityMode, VizOrientation
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue, Threshold, ThresholdsMode

from grafana.source.links import data_link
from grafana.source.query import DATASOURCE, Form, Sql

BASIS_POINTS = "suffix: bp"
"""Grafana has no such unit; its `bps` are bits per second."""


@dataclass(frozen=True)
class Shown:
    """What every panel has.

    Args:
        width: Of 24 columns.
        unit: Of each number that `units` does not name.
        units: Grafana's name of a column's unit.
        links: Where a column's values lead.
    """

    title: str
    description: str
    sql: str
    width: int = 12
    height: int = 8
    unit: str = "none"
    units: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


def rows(shown: Shown) -> Any:
    """A table."""
    return _dress(table.Panel().filterable(True), shown, "table")


def lines(shown: Shown) -> Any:
    """Lines over time; a text column names them."""
    return _dress(timeseries.Panel().show_points(VisibilityMode.AUTO).span_nulls(False), shown, "time_series")


def columns_over_time(shown: Shown) -> Any:
    """Stacked columns over time."""
    panel = timeseries.Panel().draw_style(GraphDrawStyle.BARS).fill_opacity(70).line_width(0)
    return _dress(panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL)), shown, "time_series")


def candles(shown: Shown) -> Any:
    """Candles with volume, and whatever else the query has as lines: one panel a symbol."""
    named = candlestick.CandlestickFieldMap().open("open").high("high").low("low").close("close").volume("volume")
    panel = candlestick.Panel().fields(named).include_all_fields(True)
    return _dress(panel, shown, "table").repeat("symbol").repeat_direction("h").max_per_row(2)


def categories(shown: Shown, *, across: str, is_stacked: bool = False) -> Any:
    """A bar for each value of a text column."""
    panel = barchart.Panel().x_field(across).x_tick_label_rotation(-45 if shown.width < 12 else 0)
    return _dress(panel.stacking(StackingMode.NORMAL) if is_stacked else panel, shown, "table")


def gauges(shown: Shown) -> Any:
    """A horizontal bar for each row."""
    return _dress(bargauge.Panel().orientation(VizOrientation.HORIZONTAL).reduce_options(_each_row()), shown, "table")


def number(shown: Shown, *, warn: float | None = None, alarm: float | None = None) -> Any:
    """One number, yellow and red from these values on."""
    steps = [("green", None), ("yellow", warn), ("red", alarm)]
    given = [Threshold(value, colour) for colour, value in steps if value is not None or colour == "green"]
    panel = stat.Panel().thresholds(dashboards.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(given))
    return _dress(panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"])), shown, "table")


def _each_row() -> Any:
    return common.ReduceDataOptions().values(True)


def _dress(panel: Any, shown: Shown, form: Form) -> Any:
    panel.title(shown.title).description(shown.description).datasource(DATASOURCE)
    panel.unit(shown.unit).span(shown.width).height(shown.height)
    for name, properties in _properties(shown).items():
        panel.override_by_name(name, properties)
    return panel.with_target(Sql(shown.sql, form))


def _properties(shown: Shown) -> dict[str, list[DynamicConfigValue]]:
    found: dict[str, list[DynamicConfigValue]] = {}
    for name, unit in shown.units.items():
        found.setdefault(name, []).append(DynamicConfigValue("unit", unit))
    for name, links in shown.links.items():
        found.setdefault(name, []).append(DynamicConfigValue("links", [data_link(link) for link in links]))
    return found
