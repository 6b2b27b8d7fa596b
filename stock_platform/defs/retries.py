"""Which errors are worth another try, decided in this one place for every step.

What heals by itself (a server that is gone, a budget that is spent) is tried again, later each time. Anything else, above all wrong
data, a held session or a protected one, would say the same again: the run fails at once, with the error's own sentence."""

from collections.abc import Callable, Iterator
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any, TypeVar, cast

import dagster as dg
import psycopg

from stock_platform.errors import (
    BrokerUnreachable,
    DeliveryFailed,
    TopicMissing,
    VendorAnswerUnusable,
    VendorBudgetSpent,
    VendorUnreachable,
)
from stock_platform.errors.stack import ServerSilent

TRANSIENT = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    ServerSilent,
    BrokerUnreachable,
    TopicMissing,  # what a client is told while the broker starts
    DeliveryFailed,
    VendorUnreachable,
    VendorAnswerUnusable,
    VendorBudgetSpent,
)
"""Deadlocks and lost connections are operational errors of psycopg; a statement that is wrong is none."""


_Step = TypeVar("_Step", bound=Callable[..., Any])


def retry_policy(*, first_after_s: float = 5, tries: int = 3) -> dg.RetryPolicy:
    """Again after so many seconds, then after twice as many, and so on; with some chance, so that steps do not come at once."""
    return dg.RetryPolicy(max_retries=tries, delay=first_after_s, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


def is_transient(error: BaseException) -> bool:
    """Whether another try may go well."""
    return isinstance(error, TRANSIENT)


def retried_if_transient(function: _Step) -> _Step:
    """A step's function whose other errors no policy retries; below Dagster's decorator."""

    @wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            raise _outcome(error) from error

    @wraps(function)
    def generator(*args: Any, **kwargs: Any) -> Iterator[Any]:
        try:
            yield from function(*args, **kwargs)
        except Exception as error:
            raise _outcome(error) from error

    return cast(_Step, generator if isgeneratorfunction(function) else plain)


def _outcome(error: Exception) -> Exception:
    """What Dagster is told: the error itself where it may try again, or knows already."""
    if is_transient(error) or isinstance(error, (dg.Failure, dg.RetryRequested)):
        return error
    return dg.Failure(description=f"{type(error).__name__}: {error}", allow_retries=False)
