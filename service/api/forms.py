"""Reads a body that has a form: JSON, checked by a model, every fault named with its place."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ValidationError
from starlette.requests import Request

from service.api.bodies import is_document_type, read_body
from service.api.state import Limits
from service.domain.document import check_document
from service.errors import Fault, InvalidBodyError

M = TypeVar("M", bound=BaseModel)


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Of an integer as JSON Schema has it: `60.0` is one, `60.5` and `"60"` are none."""


async def read_form(request: Request, model: type[M], limits: Limits) -> M:
    """Raises InvalidBodyError for another form, and what `read_body` and `check_document` raise."""
    body = await read_body(request, is_document_type, limit_bytes=limits.body_bytes)
    check_document(body, max_depth=limits.json_depth)
    return form_of(body, model)


def form_of(body: bytes, model: type[M]) -> M:
    """What a body that is known to be JSON says. Raises InvalidBodyError."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        # Not the input: it is the client's, and may be long.
        found = error.errors(include_input=False, include_url=False, include_context=False)
        raise InvalidBodyError.at(*[Fault(_pointer(each["loc"]), _words(each["msg"])) for each in found]) from None


def _pointer(location: tuple[int | str, ...]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def _words(message: str) -> str:
    return message.removeprefix("Value error, ")


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """As a fragment of the OpenAPI document that stands for itself."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    assert "$defs" not in schema, "a form refers to nothing"
    return schema
