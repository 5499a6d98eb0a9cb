"""The routes of many entities of one type: pages by prefix, and reads of many ids at once."""

from __future__ import annotations

from functools import lru_cache

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api import entity_list_operations as operations
from service.api.batches import BatchForm, batch_response, read_names
from service.api.directives import read_wish
from service.api.names import ENTITIES_PATH, EntityType, entities_location
from service.api.pages import page_response
from service.api.queries import read_limit, read_text
from service.api.state import Limits, entities_of, limits_of
from service.domain.entity import ENTITY_ID_PATTERN, PREFIX_PATTERN
from service.errors import InvalidBodyError


def add_routes(router: APIRouter, limits: Limits) -> None:
    router.add_api_route(ENTITIES_PATH, list_entities, methods=["GET"], **operations.pages())
    router.add_api_route(f"{ENTITIES_PATH}/batch-read", read_batch, methods=["POST"], **operations.batch(limits))


async def list_entities(request: Request, entity_type: EntityType) -> Response:
    query = request.query_params
    limit = read_limit(query)
    prefix, after = read_text(query, "prefix", PREFIX_PATTERN), read_text(query, "cursor", ENTITY_ID_PATTERN)
    page = await entities_of(request).page(entity_type, prefix=prefix, after=after, limit=limit)
    path = entities_location(entity_type)
    return page_response(request, "entities", page.documents, path, limit=limit, cursor=page.next_id, prefix=prefix)


async def read_batch(request: Request, entity_type: EntityType) -> Response:
    form, wish = batch_of(entity_type), read_wish(request.headers)
    asked = await read_names(request, form, limits_of(request))
    answers = await entities_of(request).get_many(entity_type, asked.possible, wish)
    return batch_response(request, form, asked.names, answers)


@lru_cache(maxsize=64)
def batch_of(entity_type: str) -> BatchForm:
    return BatchForm(
        asks="ids",
        answers="items",
        calls="id",
        path=entities_location(entity_type),
        noun=entity_type,
        fault=InvalidBodyError,
        fewest=1,
        points_at="/ids",
    )
