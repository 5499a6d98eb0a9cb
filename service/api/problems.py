"""Answers every error as application/problem+json (RFC 9457): never a trace, always the request's id."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import compile_path

from service.api.answers import etag
from service.api.problem_kinds import INTERNAL, INVALID_REQUEST, ProblemKind, kind_of_error, kind_of_status
from service.api.request_ids import REQUEST_ID_HEADER, request_id_of
from service.api.work import SHED
from service.errors import (
    AsideError,
    InvalidBodyError,
    InvalidInputError,
    OverloadedError,
    PreconditionFailedError,
    ReservedTypeError,
    UnauthenticatedError,
    UnavailableError,
)

MEDIA_TYPE = "application/problem+json"
CLIENT_GONE = 499
"""What the metrics show for a client that went away while it sent its body. Nobody is there to read it."""


class Fault(BaseModel):
    """One thing that is wrong, and where: in the body (a JSON Pointer), or in a parameter or header."""

    model_config = ConfigDict(extra="forbid")

    detail: str
    pointer: str | None = Field(default=None, description="JSON Pointer (RFC 6901) into the body")
    parameter: str | None = Field(default=None, description="name of a path or query parameter, or of a header")
    status: int | None = Field(default=None, description="of a write in a batch: what it would have been answered with")
    type: str | None = Field(default=None, description="of a write in a batch: what kind of problem it is")
    etag: str | None = Field(default=None, description="of a write in a batch, with 412: the version that there is")


class Problem(BaseModel):
    """Why a request was not done (RFC 9457)."""

    type: str = Field(
        description="what kind of problem it is, as a relative reference", examples=["/problems/not-found"]
    )
    title: str = Field(description="the same for every problem of this type", examples=["There is no such entity"])
    status: int = Field(examples=[404])
    detail: str = Field(description="what happened this time")
    instance: str = Field(description="the path that was asked for", examples=["/v1/entities/country/XX"])
    request_id: str = Field(description="the same as in the header X-Request-Id, and in the service's log")
    errors: list[Fault] | None = Field(default=None, description="each fault, where there is a place to name")


def problem_response(
    request: Request,
    kind: ProblemKind,
    *,
    detail: str,
    faults: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The one way to answer with a problem. It is never stored by a cache on the way."""
    members = problem_members(request, kind, detail=detail, instance=_path_as_sent(request))
    if faults:
        members["errors"] = list(faults)
    return Response(
        json.dumps(members).encode(),
        status_code=kind.status,
        headers={"Cache-Control": "no-store", **(headers or {})},
        media_type=MEDIA_TYPE,
    )


def problem_members(request: Request, kind: ProblemKind, *, detail: str, instance: str) -> dict[str, Any]:
    """A problem as it stands in an answer, be it the whole of it or one item's part."""
    return {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": instance,
        "request_id": request_id_of(request.scope),
    }


def _path_as_sent(request: Request) -> str:
    """Still encoded, for %2F is no slash; without the query, for that may hold anything."""
    raw: bytes | None = request.scope.get("raw_path")
    return quote(request.scope["path"]) if raw is None else raw.decode("latin-1").partition("?")[0]


async def _aside_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AsideError)
    return error_response(request, error)


def error_response(request: Request, error: AsideError) -> Response:
    """The problem that an error of Aside's own is answered as."""
    headers: dict[str, str] = {}
    faults: list[dict[str, str]] = []
    match error:
        case UnavailableError():
            if isinstance(error, OverloadedError):
                _count_shed(request, error)
            headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_seconds)))
        case UnauthenticatedError():
            headers["WWW-Authenticate"] = "Bearer"
        case PreconditionFailedError(current_version=int(version)):
            headers["ETag"] = etag(version)
        case ReservedTypeError():
            headers["Allow"] = "GET, HEAD"
        case InvalidBodyError():
            faults += [{"pointer": fault.pointer, "detail": fault.detail} for fault in error.faults]
        case InvalidInputError(pointer=str(place)):
            faults.append({_kind_of_place(place): place, "detail": str(error)})
        case _:
            pass
    return problem_response(request, kind_of_error(error), detail=str(error), faults=faults, headers=headers)


def _count_shed(request: Request, error: OverloadedError) -> None:
    """Here, where it is answered: what a batch is refused for one of its items is no request."""
    tell = request.scope.get("state", {}).get(SHED)
    if tell is not None:
        tell(error.work)


def _kind_of_place(place: str) -> Literal["pointer", "parameter"]:
    return "pointer" if place == "" or place.startswith("/") else "parameter"


async def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [{"parameter": str(fault["loc"][-1]), "detail": fault["msg"]} for fault in error.errors()]
    names = ", ".join(dict.fromkeys(fault["parameter"] for fault in faults))
    return problem_response(request, INVALID_REQUEST, detail=f"not valid: {names}", faults=faults)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = kind_of_status(error.status_code)
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = _allowed_methods(request) or headers.get("Allow", "")
    detail = error.detail if error.detail != HTTPStatus(error.status_code).phrase else kind.title
    return problem_response(request, kind, detail=detail, headers=headers)


def _allowed_methods(request: Request) -> str:
    """The methods of every route at this path. The router itself knows only of the first that it came across."""
    scope = request.scope
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    found: set[str] = set()
    for context in iter_route_contexts(request.app.routes):
        if context.methods and context.path is not None and compile_path(context.path)[0].match(path):
            found |= context.methods
    return ", ".join(sorted(found))


async def _internal_error(request: Request, _error: Exception) -> Response:
    return internal_response(request)


def internal_response(request: Request) -> Response:
    """Whatever nobody thought of. It passes outside the middleware, which therefore cannot add the request's id."""
    headers = {REQUEST_ID_HEADER: request_id_of(request.scope)}
    detail = "the request was not completed; the log has more under this request_id"
    return problem_response(request, INTERNAL, detail=detail, headers=headers)


async def _client_gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=CLIENT_GONE)


def add_problem_handlers(app: FastAPI) -> None:
    """Make every error of ``app`` a problem."""
    app.add_exception_handler(AsideError, _aside_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _client_gone)
    app.add_exception_handler(Exception, _internal_error)
