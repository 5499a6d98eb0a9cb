"""The routes of many entities of one type: reads of many ids at once."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api import entity_list_operations as operations
from service.api.batches import BatchForm, batch_response, read_names
from service.api.directives import read_wish
from service.api.names import ENTITIES_PATH, EntityType, entities_location
from service.api.state import Limits, entities_of, limits_of
from service.errors import InvalidBodyError


def add_routes(router: APIRouter, limits: Limits) -> None:
    router.add_api_route(f"{ENTITIES_PATH}/batch-read", read_batch, methods=["POST"], **operations.batch(limits))


async def read_batch(request: Request, entity_type: EntityType) -> Response:
    form, wish = _batch_of(entity_type), read_wish(request.headers)
    asked = await read_names(request, form, limits_of(request))
    answers = await entities_of(request).get_many(entity_type, asked.possible, wish)
    return batch_response(request, form, asked.names, answers)


def _batch_of(entity_type: str) -> BatchForm:
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
