"""What the rules of a gate run saw, as a page for a browser. Not here: how it is rendered (gate/data_docs)."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path
from fastapi.responses import HTMLResponse
from pydantic import StringConstraints

from stock_platform.api.example_rows import RUN
from stock_platform.api.parameters import written
from stock_platform.api.problems import not_found
from stock_platform.api.store import Store
from stock_platform.contracts.runs import DATA_DOCS

_HEADERS = {
    "Cache-Control": "private, max-age=86400, immutable",
    # The page's own style, and nothing from anywhere.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}
_MISSING = (
    "Run {run} has no page of Data Docs: it judged no bar, is none of the gate's or of a restatement, or its page is older than "
    "gate runs are kept. GET a bar's passport for the results of its checks, which are kept longer."
)
_WHEN = "The run judged no bar, or its page is not kept any more."
_PAGE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/html": {"example": "<!DOCTYPE html><title>Data Docs of session 2026-11-20</title>"}}}
}
_ID = "^[A-Za-z0-9-]{1,64}$"
_Run = Annotated[
    str,
    StringConstraints(pattern=_ID),
    written(_ID, "the id of a run: letters, digits and -"),
    Path(description="Id of the Dagster run.", examples=[RUN]),
]


def data_docs_routes(store: Store) -> APIRouter:
    """`/data-docs/{dagster_run_id}`."""
    routes = APIRouter(tags=["quality"], prefix=DATA_DOCS.rstrip("/"))

    @routes.get(
        "/{dagster_run_id}",
        summary="Great Expectations' Data Docs of a run that judged bars",
        response_class=HTMLResponse,
        responses=_PAGE | not_found(_WHEN, _MISSING.format(run=RUN)),
    )
    def data_docs(dagster_run_id: _Run) -> HTMLResponse:
        page = store.data_docs(dagster_run_id)
        if page is None:
            raise HTTPException(404, _MISSING.format(run=dagster_run_id))
        return HTMLResponse(page, headers=_HEADERS)

    return routes
