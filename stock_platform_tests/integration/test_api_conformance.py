"""The API does what its description says, over a real Postgres with a few rows: requests made up from the description.

They are in and out of bounds; their number is bounded, and there is no chance in them. Not here: whether the numbers are right
(test_api_lists). Left out: /stream, which does not end (unit/test_api_stream)."""

import json
from collections.abc import Iterator

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.types import Receive, Scope, Send

from stock_platform.commands.rendering import openapi
from stock_platform.config import Settings
from stock_platform_tests.integration.test_api_lists import listing_app

EXAMPLES = 10
"""Of each operation."""
MORE_THAN_A_FORMAT = {"as_of", "cursor", "start", "end", "rule", "calendar", "ts_start"}
"""Parameters that may be well formed and refused: as_of goes with raw 1-minute bars alone, a cursor must be one of ours, a
start not after its end, a rule and a calendar known, a bar's start a whole minute."""


class Served:
    """The application under test, which there is only once its database runs."""

    app: FastAPI

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self.app(scope, receive, send)
            return
        for step in ("startup", "shutdown"):  # of its stream, which is not asked for
            await receive()
            await send({"type": f"lifespan.{step}.complete"})


SERVED = Served()
description = schemathesis.openapi.from_dict(json.loads(openapi())).exclude(path="/stream")
description.app = SERVED


@pytest.fixture(scope="module", autouse=True)
def served(database: Settings) -> Iterator[None]:
    """The application answers what is made up."""
    with listing_app(database) as SERVED.app:
        yield


@description.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.large_base_example],
)
def test_answer_is_as_described(case: schemathesis.Case) -> None:
    is_refusable = MORE_THAN_A_FORMAT & {*(case.query or ()), *(case.path_parameters or ())}
    case.call_and_validate(excluded_checks=[positive_data_acceptance] if is_refusable else [])
