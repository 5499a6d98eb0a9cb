"""What the JSON schemas in the OpenAPI document are made of, whatever they describe."""

from __future__ import annotations

from typing import Any

from service.api.directives import VERSION_MAX
from service.api.documentation import Fragment
from service.domain.entity import ENTITY_ID_PATTERN

NAME: Fragment = {"type": "string", "pattern": ENTITY_ID_PATTERN}
VERSION: Fragment = {"type": "integer", "minimum": 1, "maximum": VERSION_MAX}
TEXT: Fragment = {"type": ["string", "null"]}
MOMENT: Fragment = {"type": "string", "format": "date-time"}
CURSOR: Fragment = {**TEXT, "description": "the `cursor` of the next page; null at the end"}


def ref(name: str) -> Fragment:
    return {"$ref": f"#/components/schemas/{name}"}


def object_of(
    description: str, members: dict[str, Any], *, optional: tuple[str, ...] = (), closed: bool = False
) -> Fragment:
    required = [name for name in members if name not in optional]
    schema = {"type": "object", "description": description, "properties": members, "required": required}
    return {**schema, "additionalProperties": False} if closed else schema


def list_of(items: Fragment, **limits: int) -> Fragment:
    return {"type": "array", "items": items, **limits}
