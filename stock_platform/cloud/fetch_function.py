"""Lambda: the fetch. A schedule invokes it with the calendars that it is for: {"calendars": ["XNYS"]}.

Thin: Powertools' event, log and metrics around cloud/fetch. What is made once per process lives in `_fetcher`."""

from functools import cache
from itertools import count
from typing import Annotated, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, Field

from stock_platform import config
from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.dynamodb import DeadLetters, Table
from stock_platform.cloud.fetch import Fetcher, Report, summary
from stock_platform.feed.watchlist import always_open, load_watchlist
from stock_platform.feed.yahoo.polling import QuotePoller

logger = Logger(service="fetch")
metrics = Metrics(namespace="StockPlatform", service="fetch")


class FetchRequest(BaseModel):
    """What a schedule asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calendars: Annotated[frozenset[str], Field(min_length=1, description="Fetch the instruments of these calendars.")]


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Fetch once; the answer has each symbol's failure. Raises when nothing could be fetched, so that the alarm sees it."""
    request = parse(event=event, model=FetchRequest)
    report = _fetcher().fetch(request.calendars)
    _tell(report)
    return {"counts": report.counts(), "failed": report.failed}


def _tell(report: Report) -> None:
    counts = report.counts()
    if report.failed:
        logger.warning("prices fetched, not all", extra=counts | {"reasons": summary(report.failed)})
    else:
        logger.info("prices fetched" if report.asked else "markets closed", extra=counts)
    for name, value in counts.items():
        metrics.add_metric(name=f"symbols_{name}", unit=MetricUnit.Count, value=value)
    current = len(report.written) + len(report.unchanged) + len(report.older)
    if report.asked:
        metrics.add_metric(name="symbols_current", unit=MetricUnit.Count, value=current)


@cache
def _fetcher() -> Fetcher:
    settings, clock = config.load(), SystemClock()
    watchlist = load_watchlist(settings.feed_watchlist)
    is_always = settings.vendor == "simulator" and settings.simulator_hours == "always"
    return Fetcher(
        always_open(watchlist) if is_always else watchlist,
        poll=QuotePoller(settings, clock=clock, sequence=count(1)),
        table=Table(settings.cloud_table, clock, endpoint=settings.cloud_endpoint, writers=settings.cloud_writers),
        letters=DeadLetters(settings.cloud_dead_letters_url, endpoint=settings.cloud_endpoint),
        clock=clock,
        source=settings.vendor,
    )
