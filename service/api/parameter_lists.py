"""The routes of many parameters: pages by prefix, and reads of many keys at once."""

from __future__ import annotations

import json
import re

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api import parameter_list_operations as operations
from service.api.answers import JSON
from service.api.bodies import is_document_type, read_body
from service.api.directives import read_wish
from service.api.pages import page_response
from service.api.parameter_names import PARAMETERS_PATH, parameter_location
from service.api.parameter_schemas import BATCH_MAX
from service.api.problem_kinds import BY_ERROR, INVALID_REQUEST, ProblemKind, kind_of_error
from service.api.problems import problem_members
from service.api.queries import read_limit, read_text
from service.api.state import Limits, limits_of, parameters_of
from service.cache.entry import Answer
from service.domain.document import check_document
from service.domain.entity import ENTITY_ID_PATTERN
from service.domain.exact_json import parse_exact
from service.domain.parameter import PREFIX_PATTERN
from service.errors import AsideError, Fault, InvalidParameterError, NotFoundError

_KEY = re.compile(ENTITY_ID_PATTERN)


def add_routes(router: APIRouter, limits: Limits) -> None:
    router.add_api_route(PARAMETERS_PATH, list_parameters, methods=["GET"], **operations.pages())
    router.add_api_route(f"{PARAMETERS_PATH}/batch-read", read_batch, methods=["POST"], **operations.batch(limits))


async def list_parameters(request: Request) -> Response:
    query = request.query_params
    limit = read_limit(query)
    prefix, after = read_text(query, "prefix", PREFIX_PATTERN), read_text(query, "cursor", ENTITY_ID_PATTERN)
    page = await parameters_of(request).page(prefix=prefix, after=after, limit=limit)
    return page_response(
        "parameters", page.documents, PARAMETERS_PATH, limit=limit, cursor=page.next_key, prefix=prefix
    )


async def read_batch(request: Request) -> Response:
    limits, wish = limits_of(request), read_wish(request.headers)
    body = await read_body(request, is_document_type, limit_bytes=limits.body_bytes)
    check_document(body, max_depth=limits.json_depth)
    keys = _read_keys(body)
    answers = await parameters_of(request).get_many([key for key in keys if _KEY.fullmatch(key)], wish)
    results = b", ".join([_item(request, key, answers.get(key)) for key in keys])
    return Response(b'{"results": [%s]}' % results, headers={"Cache-Control": "no-cache"}, media_type=JSON)


def _read_keys(body: bytes) -> list[str]:
    tree = parse_exact(body.decode())
    if not isinstance(tree, dict) or not isinstance(tree.get("keys"), list) or len(tree) > 1:
        raise InvalidParameterError.at(Fault("", "must be an object with `keys`, a list, and nothing else"))
    keys = tree["keys"]
    if len(keys) > BATCH_MAX:
        raise InvalidParameterError.at(Fault("/keys", f"must not be more than {BATCH_MAX}"))
    faults = [Fault(f"/keys/{place}", "must be a string") for place, key in enumerate(keys) if not isinstance(key, str)]
    if faults:
        raise InvalidParameterError.at(*faults[:10])
    return [str(key) for key in keys]


def _item(request: Request, key: str, answer: Answer | AsideError | None) -> bytes:
    """One key's part: a parameter as it is stored, or a problem."""
    name = json.dumps(key).encode()
    if isinstance(answer, Answer) and answer.body is not None:
        return b'{"key": %s, "status": 200, "version": %d, "body": %s}' % (name, answer.version, answer.body)
    kind, detail = _refusal(key, answer)
    problem = json.dumps(problem_members(request, kind, detail=detail, instance=parameter_location(key)))
    return b'{"key": %s, "status": %d, "problem": %s}' % (name, kind.status, problem.encode())


def _refusal(key: str, answer: Answer | AsideError | None) -> tuple[ProblemKind, str]:
    match answer:
        case None:
            return INVALID_REQUEST, f"a key must match {ENTITY_ID_PATTERN}"
        case Answer():
            return BY_ERROR[NotFoundError], f"there is no parameter {key}"
        case error:
            return kind_of_error(error), str(error)
