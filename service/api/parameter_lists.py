"""The routes of many parameters: pages by prefix, and reads of many keys at once."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api import parameter_list_operations as operations
from service.api.batches import BatchForm, batch_response, read_names
from service.api.directives import read_wish
from service.api.pages import page_response
from service.api.parameter_names import PARAMETERS_PATH
from service.api.queries import read_limit, read_text
from service.api.state import Limits, limits_of, parameters_of
from service.domain.entity import ENTITY_ID_PATTERN, PREFIX_PATTERN
from service.errors import InvalidParameterError

BATCH = BatchForm(
    asks="keys",
    answers="results",
    calls="key",
    path=PARAMETERS_PATH,
    noun="parameter",
    fault=InvalidParameterError,
)


def add_routes(router: APIRouter, limits: Limits) -> None:
    router.add_api_route(PARAMETERS_PATH, list_parameters, methods=["GET"], **operations.pages())
    router.add_api_route(f"{PARAMETERS_PATH}/batch-read", read_batch, methods=["POST"], **operations.batch(limits))


async def list_parameters(request: Request) -> Response:
    query = request.query_params
    limit = read_limit(query)
    prefix, after = read_text(query, "prefix", PREFIX_PATTERN), read_text(query, "cursor", ENTITY_ID_PATTERN)
    page = await parameters_of(request).page(prefix=prefix, after=after, limit=limit)
    return page_response(
        request, "parameters", page.documents, PARAMETERS_PATH, limit=limit, cursor=page.next_id, prefix=prefix
    )


async def read_batch(request: Request) -> Response:
    wish = read_wish(request.headers)
    asked = await read_names(request, BATCH, limits_of(request))
    answers = await parameters_of(request).get_many(asked.possible, wish)
    return batch_response(request, BATCH, asked.names, answers)
