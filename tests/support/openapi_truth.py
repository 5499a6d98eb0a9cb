"""Holds every answer against the OpenAPI document: its status, its headers and its type must stand there."""

from __future__ import annotations

import re
from typing import Any

import httpx

_ALWAYS = {"content-length", "content-type", "date", "x-content-type-options"}


class OpenApiTruth:
    """An event hook for httpx: raises AssertionError for an answer that the document does not know."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._operations = [
            (re.compile(re.sub(r"\\\{[^/]*\\\}", "[^/]*", re.escape(path))), methods)
            for path, methods in document["paths"].items()
        ]

    async def __call__(self, response: httpx.Response) -> None:
        request = response.request
        path = request.url.raw_path.decode().partition("?")[0]
        operation = self._operation(path, request.method.lower())
        if operation is None:
            return
        documented = operation["responses"].get(str(response.status_code))
        told = f"{request.method} {request.url}: {response.status_code}"
        assert documented is not None, f"{told} is not documented"
        headers = {name.lower() for name in documented.get("headers", {})}
        assert set(response.headers) - _ALWAYS <= headers, f"{told} has headers that are not documented"
        media_type = response.headers.get("content-type")
        if media_type is not None and request.method != "HEAD":
            assert media_type in documented.get("content", {}), f"{told} is of an undocumented type {media_type}"

    def _operation(self, path: str, method: str) -> dict[str, Any] | None:
        for pattern, methods in self._operations:
            if pattern.fullmatch(path) and method in methods:
                found: dict[str, Any] = methods[method]
                return found
        return None
