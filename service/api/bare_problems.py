"""Problems of requests that never reach the application: refused while they are parsed, or before anything is done."""

from __future__ import annotations

import json
from collections.abc import Mapping

from service.api.problem_kinds import ProblemKind
from service.api.problems import MEDIA_TYPE
from service.api.request_ids import chosen_request_id


def bare_problem(
    kind: ProblemKind, *, detail: str, path: str, headers: Mapping[str, str] | None = None
) -> tuple[bytes, bytes]:
    """Header lines, each with its line end, and body, for a request whose head was not understood, or not read."""
    request_id = chosen_request_id(b"").decode("ascii")
    fields, body = bare_fields(kind, detail=detail, path=path, headers=headers, request_id=request_id)
    return "".join([f"{name}: {value}\r\n" for name, value in fields.items()]).encode("latin-1"), body


def bare_fields(
    kind: ProblemKind, *, detail: str, path: str, request_id: str, headers: Mapping[str, str] | None = None
) -> tuple[dict[str, str], bytes]:
    """Header fields, and body. ``path`` is as it was sent; empty where none was understood."""
    members = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": path,
        "request_id": request_id,
    }
    body = json.dumps(members).encode()
    fields = {
        "cache-control": "no-store",
        **(headers or {}),
        "content-length": str(len(body)),
        "content-type": MEDIA_TYPE,
        "x-request-id": request_id,
    }
    return fields, body
