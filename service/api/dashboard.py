"""The page at /dashboard, out of files on this machine. It asks the same routes as anybody else."""

from __future__ import annotations

from os import PathLike, stat_result

from fastapi import FastAPI
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from service.dashboard import STATIC

ASSETS_PATH = "/dashboard/assets"

_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "connect-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
"""The browser's own promise: only our files are run and shown, and no text ever becomes a script or an element."""

_HEADERS = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class _Files(StaticFiles):
    """Asked for again each time, and answered with 304: after an upgrade no old file is mixed with new ones."""

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(_HEADERS)
        return response


def add_dashboard(app: FastAPI) -> None:
    """Serve the page and its files. Every address in it is relative: it works behind any prefix of a proxy."""
    app.mount(ASSETS_PATH, _Files(directory=STATIC), name="dashboard-assets")
    app.add_api_route("/dashboard", _page, methods=["GET"], include_in_schema=False)
    app.add_api_route("/dashboard/", _without_slash, methods=["GET"], include_in_schema=False)


async def _page() -> Response:
    return FileResponse(STATIC / "dashboard.html", headers=_HEADERS)


async def _without_slash() -> Response:
    return RedirectResponse("../dashboard")
