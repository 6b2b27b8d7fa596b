"""Errors as application/problem+json (RFC 9457): each says what is wrong, and what to do. Not here: which errors there are."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from stock_platform.api.cursors import CursorInvalid
from stock_platform.api.shapes import Problem
from stock_platform.api.store import StoreUnavailable

RETRY_AFTER_S = 2
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
"""Of every answer, a crash's too."""
_MEDIA_TYPE = "application/problem+json"
_TITLES = {
    400: "Request not readable",
    404: "Not found",
    405: "Method not allowed",
    422: "Parameter not usable",
    429: "Too many requests",
    500: "Server failed",
    503: "Not available",
}
_NEXT_STEP = {
    404: "There is no such address; GET /docs lists those that there are.",
    405: "This API is read-only: use GET.",
}
_SHOWN_LENGTH = 80
"""Of what was sent."""
_EXAMPLES = {
    404: "Symbol NOPE is not on the watchlist; GET /stocks lists those that are.",
    422: "Parameter limit is 'ten'; expected a whole number.",
    429: "More than 500 requests a second came from this address; wait a second, or listen to /stream.",
    503: "The store does not answer at the moment; try again in some seconds. GET /health/ready says why.",
}
_WHEN = {
    404: "Nobody watches this symbol, or it has no such bar.",
    422: "A parameter is not usable.",
    429: "Too many requests from this address.",
    503: "The database or the server is too busy, or not there.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What an endpoint's description says of these errors, and of those that every endpoint has."""
    return {status: _described(status) for status in sorted({*statuses, 422, 429, 503})}


def not_found(when: str, detail: str) -> dict[int | str, dict[str, Any]]:
    """The same of an endpoint whose 404 has another reason than its symbol.

    Args:
        detail: Of the example."""
    return {**problems(), 404: _described(404, when, detail)}


def _described(status: int, when: str = "", detail: str = "") -> dict[str, Any]:
    example = Problem(title=_TITLES[status], status=status, detail=detail or _EXAMPLES[status]).model_dump()
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    return {"description": when or _WHEN[status], "content": {_MEDIA_TYPE: content}}


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """The answer to a request that failed."""
    body = Problem(title=_TITLES.get(status, "Request failed"), status=status, detail=detail)
    more = {"Retry-After": str(RETRY_AFTER_S)} if status in (429, 503) else {}
    return JSONResponse(body.model_dump(), status_code=status, headers=more | (headers or {}), media_type=_MEDIA_TYPE)


def add_problems(app: FastAPI) -> None:
    """Every error of the application becomes a problem."""

    @app.exception_handler(StarletteHTTPException)
    async def on_http(_request: Request, error: StarletteHTTPException) -> Response:
        is_bare = error.status_code in _NEXT_STEP and error.detail in ("Not Found", "Method Not Allowed")
        detail = _NEXT_STEP[error.status_code] if is_bare else str(error.detail)
        return problem(error.status_code, detail, dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_request: Request, error: RequestValidationError) -> Response:
        return problem(422, _sentence(error.errors()[0]))

    @app.exception_handler(CursorInvalid)
    async def on_cursor(_request: Request, error: CursorInvalid) -> Response:
        return problem(422, str(error))

    @app.exception_handler(StoreUnavailable)
    async def on_store(_request: Request, error: StoreUnavailable) -> Response:
        return problem(503, str(error))

    @app.exception_handler(Exception)
    async def on_crash(_request: Request, _error: Exception) -> Response:
        return problem(500, "The server failed; its log says why. Try again, and tell an operator if it stays.", SAFE_HEADERS)


def _sentence(error: Mapping[str, Any]) -> str:
    """Which parameter, what was sent, what is expected.

    Args:
        error: Of pydantic."""
    return f"Parameter {error['loc'][-1]} is {str(error['input'])[:_SHOWN_LENGTH]!r}; expected {_expected(error)}."


def _expected(error: Mapping[str, Any]) -> str:
    limits = error.get("ctx", {})
    match error["type"]:
        case "value_error":
            return str(limits["error"])
        case "int_parsing" | "int_parsing_size":
            return "a whole number"
        case "greater_than_equal":
            return f"at least {limits['ge']}"
        case "less_than_equal":
            return f"at most {limits['le']}"
        case "string_too_long":
            return f"at most {limits['max_length']} characters"
        case "enum" | "literal_error":
            return str(limits["expected"])
        case _:
            return f"what /docs says ({error['msg']})"
