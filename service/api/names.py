"""How an entity is named in a path. Bad names match the route too, so that they are told what is wrong with them."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Path
from starlette.convertors import Convertor, register_url_convertor

from service.domain.entity import ENTITY_ID_PATTERN, ENTITY_TYPE_PATTERN, EntityKey
from service.domain.parameter import PARAMETER

ENTITIES_PATH = "/v1/entities/{entity_type:entity_type}"
ENTITY_PATH = ENTITIES_PATH + "/{id:entity_id}"


def _type(**schema: Any) -> Any:
    return Path(
        pattern=ENTITY_TYPE_PATTERN,
        description="what kind of entity it is",
        openapi_examples={"country": {"value": "country"}},
        json_schema_extra=schema,
    )


NOT_RESERVED: dict[str, Any] = {"not": {"const": PARAMETER}}
"""Of types that are written as entities. For the document alone: the service says where parameters are written."""

EntityType = Annotated[str, _type()]
WritableType = Annotated[str, _type(**NOT_RESERVED)]
EntityId = Annotated[
    str,
    Path(
        alias="id",
        pattern=ENTITY_ID_PATTERN,
        description="which one of its kind",
        openapi_examples={"Japan": {"value": "JP"}},
    ),
]


class _AnySegment(Convertor[str]):
    """A segment, an empty one included."""

    regex = "[^/]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _AnyRest(_AnySegment):
    """Everything up to the end: slashes, which arrive as %2F, and line breaks, which `.` and `$` would let slip."""

    regex = r"(?s:.*)\Z"


def register_name_convertors() -> None:
    """Make `ENTITY_PATH`, and paths of plain segments, known to the router."""
    register_url_convertor("segment", _AnySegment())
    register_url_convertor("entity_type", _AnySegment())
    register_url_convertor("entity_id", _AnyRest())


def entities_location(entity_type: str) -> str:
    """The path of all entities of a type."""
    return f"/v1/entities/{entity_type}"


def location(key: EntityKey) -> str:
    """The path of an entity, for headers."""
    return f"{entities_location(key.entity_type)}/{quote(key.id, safe='~:@')}"
