"""Run the rules over a batch with Great Expectations and split its rows.

Pure but for the library's own import, which takes 5-8 s and is lazy therefore."""

import os
import warnings
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl

from stock_platform.contracts.bar import Verdict
from stock_platform.gate.batch import Batch
from stock_platform.gate.context import with_measures
from stock_platform.gate.rules import QUARANTINE_SHARE, QUARANTINE_SHARE_LIMIT, RULES, Rule, Severity

_SMALL_BATCH = 20
_FLOATS = ("open", "high", "low", "close", "vwap")


@dataclass(frozen=True)
class RuleResult:
    """How one rule fared.

    Args:
        rows: Indices of the rows that broke it.
        sample: The first few of them, for a person."""

    name: str
    severity: Severity
    is_passed: bool
    observed_count: int
    rows: tuple[int, ...]
    sample: str


@dataclass(frozen=True)
class Judgement:
    """A judged batch: each bar's verdict (null = refused) and broken rules, and each rule's result.

    Args:
        overruled: A person's reason to let the batch through although a rule blocks it.
        validated: The library's own result, for its page (data_docs); None where there was no bar.
    """

    batch: Batch
    bars: pl.DataFrame
    results: tuple[RuleResult, ...]
    overruled: str | None = None
    validated: Any = None

    @property
    def blocking(self) -> tuple[str, ...]:
        """Names of the rules that keep the whole batch."""
        return tuple(result.name for result in self.results if not result.is_passed and result.severity is Severity.BLOCK)

    @property
    def is_blocked(self) -> bool:
        """Whether nothing of the batch may move."""
        return bool(self.blocking) and self.overruled is None

    @property
    def accepted(self) -> pl.DataFrame:
        """Rows that may be promoted, with their verdict."""
        return self.bars.filter(pl.col("verdict").is_not_null())

    @property
    def refused(self) -> pl.DataFrame:
        """Rows for quarantine, with the names of the rules they broke."""
        return self.bars.filter(pl.col("verdict").is_null())


def judge(batch: Batch) -> Judgement:
    """Every rule over every row; an empty batch passes."""
    validated, results = _seen(prepared(batch)) if batch.bars.height else (None, tuple(_nothing_seen(rule) for rule in RULES))
    bars = _with_verdicts(batch.bars, results)
    return Judgement(batch, bars, (*results, _quarantine_share(bars)), validated=validated)


def as_restated(judgement: Judgement, concerned: Collection[tuple[str, datetime]]) -> Judgement:
    """The judgement of a restatement: of the bars that it concerns, those that pass are marked as restated.

    Args:
        concerned: (symbol, ts_start) of each.
    """
    keys = judgement.bars.select("symbol", "ts_start").iter_rows()
    is_concerned = pl.Series([key in concerned for key in keys], dtype=pl.Boolean)
    verdict = (
        pl.when((pl.col("verdict") == Verdict.PASSED) & is_concerned).then(pl.lit(Verdict.RESTATED.value)).otherwise("verdict")
    )
    return replace(judgement, bars=judgement.bars.with_columns(verdict=verdict))


def prepared(batch: Batch) -> pl.DataFrame:
    """The batch with what rules compare: own ticks, candle body, measures against what came before, facts of the batch.

    Prices become floats here and only here: comparisons keep their order, and nothing of it is stored."""
    background = batch.background
    measured = with_measures(batch.bars, background.earlier, background.splits)
    return measured.with_columns(pl.col(*_FLOATS).cast(pl.Float64)).with_columns(
        tick_count_own=pl.when(pl.col("response_path").is_null()).then("tick_count"),
        body_low=pl.min_horizontal("open", "close"),
        body_high=pl.max_horizontal("open", "close"),
        closed_until=pl.lit(batch.closed_until, dtype=pl.Datetime("us", "UTC")),
        silent_pct=pl.lit(background.silent_pct),
        behind_min=pl.lit(background.behind_min),
    )


def warm_up() -> None:
    """Pay for the library's import now, e.g. while the bar is still open."""
    _great_expectations()


def _great_expectations() -> Any:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # noqa: TID251 - the library reads it at import
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations  # noqa: PLC0415 - takes seconds
    return great_expectations


def _seen(frame: pl.DataFrame) -> tuple[Any, tuple[RuleResult, ...]]:
    validated = _run_suite(frame)
    by_rule = {result.expectation_config.meta["rule"]: result for result in validated.results}
    return validated, tuple(_result(rule, by_rule[rule.name], frame) for rule in RULES)


def _run_suite(frame: pl.DataFrame) -> Any:
    gx = _great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    asset = context.data_sources.add_pandas("staging").add_dataframe_asset("closed_bars")
    batch = asset.add_batch_definition_whole_dataframe("batch").get_batch({"dataframe": frame.to_pandas()})
    suite = gx.ExpectationSuite("bar_1m", expectations=[_expectation(gx, rule) for rule in RULES])
    return batch.validate(suite, result_format="COMPLETE")


def _expectation(gx: Any, rule: Rule) -> Any:
    return getattr(gx.expectations, rule.expectation)(**rule.arguments, meta={"rule": rule.name})


def _result(rule: Rule, seen: Any, frame: pl.DataFrame) -> RuleResult:
    if seen.exception_info.get("raised_exception"):
        raise RuntimeError(f"rule {rule.name} could not be run: {seen.exception_info.get('exception_message')}")
    rows = tuple(sorted(seen.result.get("unexpected_index_list") or ()))
    sample = _sample(frame, rows) if rows or seen.success else f"seen: {seen.result.get('observed_value'):.4g}"
    return RuleResult(rule.name, rule.severity, bool(seen.success), frame.height, rows, sample)


def _sample(frame: pl.DataFrame, rows: tuple[int, ...]) -> str:
    return "; ".join(name_of(frame, row) for row in rows[:3])


def name_of(bars: pl.DataFrame, row: int) -> str:
    """Symbol and minute of a bar, for a person."""
    bar = bars.row(row, named=True)
    return f"{bar['symbol']} {bar['ts_start']:%Y-%m-%dT%H:%MZ}"


def _nothing_seen(rule: Rule) -> RuleResult:
    return RuleResult(rule.name, rule.severity, is_passed=True, observed_count=0, rows=(), sample="")


def _with_verdicts(bars: pl.DataFrame, results: tuple[RuleResult, ...]) -> pl.DataFrame:
    broken: list[list[RuleResult]] = [[] for _ in range(bars.height)]
    for result in results:
        for row in result.rows:
            broken[row].append(result)
    return bars.with_columns(
        verdict=pl.Series(list(map(_verdict, broken, bars["response_path"].is_not_null())), dtype=pl.String),
        rules=pl.Series([",".join(result.name for result in row) for row in broken], dtype=pl.String),
    )


def _verdict(broken: list[RuleResult], is_vendors: bool) -> str | None:
    if any(result.severity is Severity.QUARANTINE for result in broken):
        return None
    if broken:
        return Verdict.SUSPECT
    return Verdict.VENDOR if is_vendors else Verdict.PASSED


def _quarantine_share(bars: pl.DataFrame) -> RuleResult:
    refused = bars["verdict"].null_count()
    is_passed = bars.height < _SMALL_BATCH or refused <= QUARANTINE_SHARE_LIMIT * bars.height
    sample = "" if is_passed else f"{refused} of {bars.height} bars broke a rule; look upstream before releasing them"
    return RuleResult(QUARANTINE_SHARE, Severity.BLOCK, is_passed, bars.height, (), sample)
