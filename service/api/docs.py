"""The pages /docs and /redoc, out of files on this machine: they work without a network, and call nobody."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

ASSETS_PATH = "/docs/assets"

_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "connect-src 'self'",
        "font-src 'self' data:",
        # Both pages start themselves with a script of their own, and style their parts.
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "worker-src blob:",  # ReDoc's search
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""The browser's own promise that nothing is loaded from another host, whatever the bundled scripts would like."""

_SWAGGER_UI = {
    "tryItOutEnabled": True,
    "displayRequestDuration": True,
    "persistAuthorization": False,  # a key is forgotten with the page
    "validatorUrl": None,  # otherwise the page shows the document to a service on the Internet
}


def add_docs(app: FastAPI) -> None:
    """Serve both pages and their files. Raises RuntimeError where the package that carries the files is missing."""
    app.mount(ASSETS_PATH, StaticFiles(directory=_assets_directory()), name="docs-assets")
    app.add_api_route("/docs", _swagger_ui, methods=["GET"], include_in_schema=False)
    app.add_api_route("/redoc", _redoc, methods=["GET"], include_in_schema=False)


def _assets_directory() -> Path:
    # Found, not imported: the package's own module would build on another FastAPI.
    spec = find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package fastapi-offline, which carries the files of /docs, is not installed")
    return Path(spec.origin).parent / "static"


async def _swagger_ui(request: Request) -> HTMLResponse:
    prefix = _prefix(request)
    page = get_swagger_ui_html(
        openapi_url=f"{prefix}{request.app.openapi_url}",
        title=f"{request.app.title}: API",
        swagger_js_url=f"{prefix}{ASSETS_PATH}/swagger-ui-bundle.js",
        swagger_css_url=f"{prefix}{ASSETS_PATH}/swagger-ui.css",
        swagger_favicon_url=f"{prefix}{ASSETS_PATH}/favicon.png",
        swagger_ui_parameters=_SWAGGER_UI,
    )
    return _guarded(page)


async def _redoc(request: Request) -> HTMLResponse:
    prefix = _prefix(request)
    page = get_redoc_html(
        openapi_url=f"{prefix}{request.app.openapi_url}",
        title=f"{request.app.title}: reference",
        redoc_js_url=f"{prefix}{ASSETS_PATH}/redoc.standalone.js",
        redoc_favicon_url=f"{prefix}{ASSETS_PATH}/favicon.png",
        with_google_fonts=False,
    )
    return _guarded(page)


def _prefix(request: Request) -> str:
    """Where a proxy has put the service."""
    prefix: str = request.scope.get("root_path", "")
    return prefix.rstrip("/")


def _guarded(page: HTMLResponse) -> HTMLResponse:
    page.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
    page.headers["Referrer-Policy"] = "no-referrer"
    return page
