"""Reads of many names in one request: which names a body asks for, and the one answer made of all of theirs.

A hit is served as it is stored: its bytes are joined with the others', never parsed. What is the same for many items,
be it a hit or a refusal, is rendered once. An ordinary body is read in one pass; whatever looks odd is read again with
care, to say what is wrong with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from service.api.answers import JSON
from service.api.bodies import is_document_type, read_body
from service.api.problem_kinds import BY_ERROR, INVALID_REQUEST, ProblemKind, kind_of_error
from service.api.problems import problem_members
from service.api.state import Limits
from service.cache.entry import Answer
from service.domain.document import check_document
from service.domain.entity import ENTITY_ID_PATTERN
from service.domain.exact_json import parse_exact
from service.errors import AsideError, Fault, InvalidBodyError, NotFoundError

BATCH_MAX = 1_000
"""How many names one request may ask for."""

_NAME = re.compile(ENTITY_ID_PATTERN)
_NAMES = re.compile(rf"(?:{ENTITY_ID_PATTERN[1:-1]}\n)*+")
_PLAIN = json.JSONDecoder(object_pairs_hook=list)
_NOT_FOUND = BY_ERROR[NotFoundError]


class BatchForm(NamedTuple):
    """What one kind of batch calls its parts: `{asks: [name, …]}` is answered by `{answers: [{calls: name, …}, …]}`.

    ``path`` is where a single one is, ``noun`` what it is. ``fault`` is raised for a body of another form. Where a bad
    name's own problem points at it, it does so below ``points_at``.
    """

    asks: str
    answers: str
    calls: str
    path: str
    noun: str
    fault: type[InvalidBodyError]
    fewest: int = 0
    points_at: str | None = None


class Asked(NamedTuple):
    """The names as they were asked for, and those of them that anything can be called."""

    names: list[str]
    possible: list[str]


Answers = Mapping[str, Answer | AsideError]


async def read_names(request: Request, form: BatchForm, limits: Limits) -> Asked:
    """The names in a request's body. Raises InvalidBodyError for another form, and what `read_body` and
    `check_document` raise.
    """
    body = await read_body(request, is_document_type, limit_bytes=limits.body_bytes)
    names = plain_names(body, form.asks)
    if names is None or not is_allowed(names, form):
        check_document(body, max_depth=limits.json_depth)
        names = odd_names(body, form)
    return asked_for(names)


def is_allowed(names: Sequence[str], form: BatchForm) -> bool:
    """Whether so many may be asked for."""
    return form.fewest <= len(names) <= BATCH_MAX


def asked_for(names: list[str]) -> Asked:
    """The names, told apart in one search for all of them if they are as they should be."""
    joined = "\n".join(names) + "\n"
    if joined.count("\n") == len(names) and _NAMES.fullmatch(joined):
        return Asked(names, names)
    return Asked(names, [name for name in names if _NAME.fullmatch(name)])


def plain_names(body: bytes, asks: str) -> list[str] | None:
    """The names in a body of one object with one list of strings, none of which is escaped; None for any other one."""
    if b"\\" in body or body.count(b"{") != 1 or body.count(b"[") != 1:
        return None
    try:
        members = _PLAIN.decode(body.decode())
    except ValueError:
        return None
    match members:
        case [(str(name), [*names])] if name == asks and set(map(type, names)) <= {str}:
            return names
        case _:
            return None


def odd_names(body: bytes, form: BatchForm) -> list[str]:
    """The names in a body that is known to be JSON. Raises InvalidBodyError."""
    tree, asks = parse_exact(body.decode()), form.asks
    if not isinstance(tree, dict) or not isinstance(tree.get(asks), list) or len(tree) > 1:
        raise form.fault.at(Fault("", f"must be an object with `{asks}`, a list, and nothing else"))
    names = tree[asks]
    if len(names) > BATCH_MAX:
        raise form.fault.at(Fault(f"/{asks}", f"must not be more than {BATCH_MAX}"))
    if len(names) < form.fewest:
        raise form.fault.at(Fault(f"/{asks}", f"must be at least {form.fewest}"))
    faults = [
        Fault(f"/{asks}/{place}", "must be a string") for place, name in enumerate(names) if type(name) is not str
    ]
    if faults:
        raise form.fault.at(*faults[:10])
    return [str(name) for name in names]


def batch_response(request: Request, form: BatchForm, names: Sequence[str], answers: Answers) -> Response:
    """200, with an item for each of the names, in order."""
    body = batch_body(request, form, names, answers)
    return Response(body, headers={"Cache-Control": "no-cache"}, media_type=JSON)


def batch_body(request: Request, form: BatchForm, names: Sequence[str], answers: Answers) -> bytes:
    """An item for each of the names, in order: the document as it is stored, or a problem.

    A name without an answer is one that nothing can be called.
    """
    hit = b'{"%b": "%%b", "status": 200, "version": %%d, "body": %%b}' % form.calls.encode()
    refusals = _Refusals(request, form)
    items = [
        hit % (name.encode(), answer.version, answer.body)
        if isinstance(answer := answers.get(name), Answer) and answer.body is not None
        else refusals.item(place, name, answer)
        for place, name in enumerate(names)
    ]
    return b'{"%b": [%b]}' % (form.answers.encode(), b", ".join(items))


class _Refusals:
    """The items of one answer that are problems. Those of one kind differ by their names only."""

    def __init__(self, request: Request, form: BatchForm) -> None:
        self._request = request
        self._form = form
        self._absent: bytes | None = None
        self._failed: dict[tuple[type[AsideError], str], bytes] = {}

    def item(self, place: int, name: str, answer: Answer | AsideError | None) -> bytes:
        if answer is None:
            return self._impossible(place, name)
        if isinstance(answer, Answer):
            if self._absent is None:
                self._absent = self._template(_NOT_FOUND, f"there is no {self._form.noun} %(name)s")
            template = self._absent
        else:
            alike = type(answer), str(answer)
            if alike not in self._failed:
                self._failed[alike] = self._template(kind_of_error(answer), alike[1].replace("%", "%%"))
            template = self._failed[alike]
        # Whatever has an answer fits the pattern of names: it stands for itself in JSON, and in a path.
        return template % {b"name": name.encode()}

    def _template(self, kind: ProblemKind, detail: str) -> bytes:
        """An item for any name. Of what it is made of, only ``detail`` and the name's places may hold a %."""
        members = problem_members(self._request, kind, detail=detail, instance=f"{self._form.path}/%(name)s")
        item = {self._form.calls: "%(name)s", "status": kind.status, "problem": members}
        return json.dumps(item).encode()

    def _impossible(self, place: int, name: str) -> bytes:
        form = self._form
        article = "an" if form.calls[0] in "aeiou" else "a"
        detail = f"{article} {form.calls} must match {ENTITY_ID_PATTERN}"
        instance = f"{form.path}/{quote(name, safe='~:@')}"
        members = problem_members(self._request, INVALID_REQUEST, detail=detail, instance=instance)
        if form.points_at is not None:
            members["errors"] = [{"pointer": f"{form.points_at}/{place}", "detail": detail}]
        return json.dumps({form.calls: name, "status": INVALID_REQUEST.status, "problem": members}).encode()
