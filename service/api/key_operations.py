"""How the routes of API keys stand in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from service.api.answers import JSON
from service.api.documentation import ACTOR, LIMIT, REASON, REQUEST_ID, Fragment, headers, operation, problem
from service.api.forms import schema_of
from service.api.key_forms import KeyForm, KeyList, KeyWithHistory, NewKeyReport, RotationForm
from service.api.parameter_documentation import server_problems

_KEY = {
    "id": "7xk2mq9dtw4v",
    "name": "shop",
    "scopes": ["read:*", "write:price-*"],
    "replaces": None,
    "created_at": "2026-11-20T08:00:00.123456Z",
    "created_by": "ann",
    "expires_at": None,
    "revoked_at": None,
    "last_used_at": None,
}
_EVENT = {"kind": "created", "at": _KEY["created_at"], "actor": "ann", "reason": None, "said": {"name": "shop"}}
_NEW = {**_KEY, "key": "aside_live_7xk2mq9dtw4v_…"}
_WRITING = [ACTOR, REASON, REQUEST_ID]
_UNNAMED = problem("The id or a query parameter is not valid")
_REFUSED = {
    400: problem("A header cannot be understood, or the body is not valid JSON"),
    413: problem("The body is too large"),
    415: problem("The body is not JSON, or encoded", "Accept", "Accept-Encoding"),
}
_OFF = {403: problem("The key does not allow this; or no keys are asked for here, and `aside keys` sees to them")}


def list_all() -> dict[str, Any]:
    return operation(
        "listKeys",
        "List the keys",
        description="Live or not, the newest first.",
        parameters=[LIMIT, REQUEST_ID],
        responses={200: _told("The keys", KeyList, {"keys": [_KEY]}), 422: _UNNAMED, **_OFF, **server_problems()},
    )


def create() -> dict[str, Any]:
    text = """Makes a key, and tells its text: this once. It can be given no scope that the asking key does not have.
Of one name there is one live key, and while it is rotated a second one."""
    return operation(
        "createKey",
        "Make a key",
        description=text,
        parameters=_WRITING,
        body=_body(KeyForm, {"name": "shop", "scopes": ["read:*", "write:price-*"], "expires_in_seconds": 7_776_000}),
        responses={
            201: _told("The key", NewKeyReport, _NEW, "Location"),
            **_REFUSED,
            409: problem("A key of this name is live"),
            422: problem("The body does not have the form asked for, or a scope is none"),
            **_OFF,
            **server_problems(),
        },
    )


def read() -> dict[str, Any]:
    example = {**_KEY, "history": [_EVENT]}
    responses = {200: _told("The key", KeyWithHistory, example), 404: problem("There is no such key"), 422: _UNNAMED}
    return operation(
        "readKey",
        "See a key, and what was done to it",
        description="Everything but its text, which is stored nowhere.",
        parameters=[REQUEST_ID],
        responses={**responses, **_OFF, **server_problems()},
    )


def rotate() -> dict[str, Any]:
    text = """Makes a successor with the same name, scopes and span of life, and tells its text: this once. The old key
goes on to be taken for `overlap_seconds`, a day if it is not said, so that its users can change over."""
    return operation(
        "rotateKey",
        "Give a key a successor",
        description=text,
        parameters=_WRITING,
        body=_body(RotationForm, {"overlap_seconds": 3600}),
        responses={
            201: _told("The successor", NewKeyReport, {**_NEW, "replaces": "3f8h1c0ptz6n"}, "Location"),
            **_REFUSED,
            404: problem("There is no such key"),
            409: problem("The key is not live, or has a live successor"),
            422: problem("The id is not valid, or the body does not have the form asked for"),
            **_OFF,
            **server_problems(),
        },
    )


def revoke() -> dict[str, Any]:
    return operation(
        "revokeKey",
        "Revoke a key",
        description="This process does not take it any more from now on, every other one within B.",
        parameters=_WRITING,
        responses={
            204: {"description": "Revoked, now or before", "headers": headers("Cache-Control")},
            400: _REFUSED[400],
            404: problem("There is no such key"),
            422: _UNNAMED,
            **_OFF,
            **server_problems(),
        },
    )


def _told(description: str, model: type[BaseModel], example: object, *more: str) -> Fragment:
    return {
        "description": description,
        "headers": headers("Cache-Control", *more),
        "model": model,
        "content": {JSON: {"example": example}},
    }


def _body(form: type[BaseModel], example: object) -> Fragment:
    return {"required": True, "content": {JSON: {"schema": schema_of(form), "example": example}}}
