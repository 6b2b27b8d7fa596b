"""The page /docs of an HTTP interface: Swagger UI from files of this machine, so that it also shows where there is no internet."""

from pathlib import Path

import fastapi_offline
from fastapi import FastAPI, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.staticfiles import StaticFiles

_FILES = Path(fastapi_offline.__file__).parent / "static"
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "frame-ancestors 'none'",
    )
)
"""Its own files and requests, the scripts and styles that Swagger UI writes into the page, and nothing from anywhere."""


def serve_docs(app: FastAPI) -> None:
    """Add /docs to an application that has no page of its own; its addresses are relative, so that it may be mounted anywhere."""
    app.mount("/docs/files", StaticFiles(directory=_FILES))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        page = get_swagger_ui_html(
            openapi_url="openapi.json",
            title=app.title,
            swagger_js_url="docs/files/swagger-ui-bundle.js",
            swagger_css_url="docs/files/swagger-ui.css",
            swagger_favicon_url="docs/files/favicon.png",
            swagger_ui_parameters={"validatorUrl": None},  # no badge of an outside service
        )
        page.headers["Content-Security-Policy"] = _POLICY
        return page
