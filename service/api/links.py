"""Where to go on from an answer: links (OpenAPI 3.1, section 4.8.20) from what was made to what can be done with it."""

from __future__ import annotations

from typing import NamedTuple

from service.api.documentation import Fragment

_ENTITY = {"entity_type": "$request.path.entity_type", "id": "$request.path.id"}
_PARAMETER = {"key": "$request.path.key"}
_POLICY = {"entity_type": "$request.path.entity_type"}
_MADE = {"id": "$response.body#/id"}
_VERSION = "$response.body#/version"


class _Way(NamedTuple):
    """From the answers of one operation to others, which are of the same thing."""

    origin: str
    statuses: tuple[str, ...]
    to: tuple[str, ...]
    of: dict[str, str]
    body: dict[str, str] | None = None


_WAYS = (
    _Way("putEntity", ("200", "201"), ("readEntity", "patchEntity", "deleteEntity", "explainEntry"), _ENTITY),
    _Way("patchEntity", ("200",), ("readEntity", "explainEntry"), _ENTITY),
    _Way("putParameter", ("200", "201"), ("readParameter", "readParameterValue", "deleteParameter"), _PARAMETER),
    _Way("putParameter", ("200", "201"), ("putParameterValue", "listParameterVersions"), _PARAMETER),
    # With `dry_run` the answer is 200, and has no version of its own.
    _Way("putParameter", ("201",), ("diffParameter",), {**_PARAMETER, "from": _VERSION}),
    _Way("putParameter", ("201",), ("rollBackParameter",), _PARAMETER, {"version": _VERSION}),
    _Way("putParameterValue", ("200",), ("readParameterValue", "listParameterVersions"), _PARAMETER),
    _Way("rollBackParameter", ("200", "201"), ("readParameter", "listParameterVersions"), _PARAMETER),
    _Way("putPolicy", ("200",), ("readPolicy", "listPolicyVersions", "removePolicy"), _POLICY),
    _Way("warmCache", ("202",), ("readJob", "cancelJob"), _MADE),
    _Way("purgeCache", ("202",), ("readJob", "cancelJob"), _MADE),
    _Way("createKey", ("201",), ("readKey", "rotateKey", "revokeKey"), _MADE),
    _Way("rotateKey", ("201",), ("readKey", "rotateKey", "revokeKey"), _MADE),
)


def add_links(paths: Fragment) -> None:
    """Into a document whose operations are all there."""
    operations = {each["operationId"]: each for methods in paths.values() for each in methods.values()}
    for way in _WAYS:
        for status in way.statuses:
            links = operations[way.origin]["responses"][status].setdefault("links", {})
            links.update({name: _link(name, way) for name in way.to})


def _link(operation_id: str, way: _Way) -> Fragment:
    link: Fragment = {"operationId": operation_id, "parameters": way.of}
    return link if way.body is None else {**link, "requestBody": way.body}
