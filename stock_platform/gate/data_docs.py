"""Great Expectations' Data Docs of one run: what each rule saw, and in which bars. Written to quality.validation_page.

The library renders each expectation and what broke it; the page around them is ours (data_docs.html), because its own asks other
servers for styles and scripts. Same judgement, run, code and instant: same bytes. Not here: who may read it (api/data_docs)."""

import logging
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import polars as pl

from stock_platform.adapters.postgres import Connection
from stock_platform.gate.judge import Judgement, RuleResult, name_of
from stock_platform.gate.rules import QUARANTINE_SHARE, QUARANTINE_SHARE_MEANING, RULES

_PAGE = Path(__file__).with_name("data_docs.html")
_MEANINGS = {rule.name: rule.meaning for rule in RULES} | {QUARANTINE_SHARE: QUARANTINE_SHARE_MEANING}
_SHOWN = 20
"""Bars that a rule names on the page; how many broke it stands beside them."""
_KEEP = """
INSERT INTO quality.validation_page (dagster_run_id, session_date, page, ts_rendered)
VALUES (%s, %s, %s, %s)
ON CONFLICT (dagster_run_id) DO NOTHING
"""


@dataclass(frozen=True)
class _Row:
    """One rule on the page.

    Args:
        expectation, observed: Blocks of the library's renderer; None of a rule that is ours alone.
    """

    result: RuleResult
    meaning: str
    expectation: Any = None
    observed: Any = None


def keep_page(connection: Connection, judgement: Judgement, *, dagster_run_id: str, code_version: str, now: datetime) -> None:
    """Render and write the run's page; a batch without bars has none, and the first page of a run stays.

    A page that cannot be made is logged and left out: what it is about has been decided and written by then."""
    if judgement.validated is None:
        return
    try:
        page = render_page(judgement, dagster_run_id=dagster_run_id, code_version=code_version, now=now)
        with connection.transaction():
            connection.execute(_KEEP, (dagster_run_id, judgement.batch.session_date, page, now))
    except Exception:
        logging.getLogger(__name__).exception("run %s gets no page of Data Docs", dagster_run_id)


def render_page(judgement: Judgement, *, dagster_run_id: str, code_version: str, now: datetime) -> str:
    """HTML of a judgement of at least one bar; rules that failed come first."""
    # Imported late, as the library itself (judge); whoever has judged has paid for it.
    from great_expectations import __version__  # noqa: PLC0415
    from great_expectations.render.view.view import DefaultJinjaPageView  # noqa: PLC0415

    rows = sorted(_rows(judgement), key=lambda row: row.result.is_passed)
    facts = {
        "Dagster run": dagster_run_id,
        "Code version": code_version,
        "Bars closed until": f"{judgement.batch.closed_until:%Y-%m-%d %H:%M:%SZ}",
        "Page made at": f"{now:%Y-%m-%d %H:%M:%SZ}",
        "Rules that held": f"{sum(row.result.is_passed for row in rows)} of {len(rows)}",
        "Great Expectations": __version__,
    }
    template = DefaultJinjaPageView().env.from_string(_PAGE.read_text())
    return template.render(
        session_date=judgement.batch.session_date, outcome=_outcome(judgement), judgement=judgement, facts=facts, rows=rows
    )


def _outcome(judgement: Judgement) -> str:
    count = judgement.bars.height
    if judgement.is_blocked:
        return f"Blocked by {', '.join(judgement.blocking)}: none of {count} bars moved."
    said = f"{judgement.accepted.height} of {count} bars certified, {judgement.refused.height} refused."
    return f"{said} A person let the batch through: {judgement.overruled}" if judgement.overruled else said


def _rows(judgement: Judgement) -> list[_Row]:
    """The judgement's rules in their order, each with what the library says of it."""
    from great_expectations.render.renderer.content_block import validation_results_table_content_block as tables  # noqa: PLC0415

    results = [_shown(result, judgement.bars) for result in judgement.validated.results]
    renderer: Any = tables.ValidationResultsTableContentBlockRenderer
    table: list[Any] = renderer.render(results, include_column_name=True).to_json_dict()["table"]
    told: dict[str, tuple[Any, Any]] = {
        result.expectation_config.meta["rule"]: (expectation, observed)
        for result, (_status, expectation, observed) in zip(results, table, strict=True)
    }
    return [_Row(each, _MEANINGS[each.name], *told.get(each.name, ())) for each in judgement.results]


def _shown(result: Any, bars: pl.DataFrame) -> Any:
    """The library's result with the first bars by symbol and minute instead of row numbers, and with numbers that it can write."""
    seen, shown = dict(result.result), copy(result)
    if isinstance(seen.get("observed_value"), float):
        seen["observed_value"] = float(seen["observed_value"])  # numpy's own it refuses
    rows = seen.get("unexpected_index_list")
    if rows:
        values = map(_value, seen["unexpected_list"])
        seen["unexpected_index_list"] = [
            {"value": value, "Bar": name_of(bars, row)} for value, row in zip(values, rows[:_SHOWN], strict=False)
        ]
        seen |= {"unexpected_index_column_names": ["Bar"], "unexpected_index_query": None}
    shown.result = seen
    return shown


def _value(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(_value(each) for each in cast(Iterable[Any], value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)
