"""What `batch-write` takes: which bodies describe a batch of writes, and which batch they describe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.requests import Request

from service.api.bodies import is_document_type, read_body
from service.api.conditions import asked_versions
from service.api.forms import form_of
from service.api.state import Limits
from service.domain.batch import Verb, Write
from service.domain.document import check_document
from service.domain.entity import ENTITY_ID_PATTERN, ENTITY_TYPE_PATTERN, EntityKey, WriteCondition
from service.domain.json_texts import texts_of_objects
from service.errors import Fault, InvalidBodyError, InvalidInputError

WRITES_MAX = 500
"""How many writes one request may ask for."""

_LEVELS_ABOVE_A_DOCUMENT = 3
"""The body, its list, and the write that the document stands in."""


class WriteForm(BaseModel):
    """One write: `put` and `patch` have a `body`, `delete` has none."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    op: Literal["put", "patch", "delete"]
    entity_type: Annotated[str, Field(pattern=ENTITY_TYPE_PATTERN)]
    id: Annotated[str, Field(pattern=ENTITY_ID_PATTERN)]
    body: Any = None
    if_match: str | None = None
    if_none_match: Literal["*"] | None = None
    ttl_seconds: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if (self.op != "delete") is not ("body" in self.model_fields_set):
            raise ValueError("`put` and `patch` have a `body`, `delete` has none")
        if self.op == "delete" and "ttl_seconds" in self.model_fields_set:
            raise ValueError("what is deleted has no `ttl_seconds`")
        is_creation = self.op == "put" and (self.if_none_match is None or self.if_match is None)
        if "if_none_match" in self.model_fields_set and not is_creation:
            raise ValueError("`if_none_match` is for a `put` without `if_match`: nothing else could succeed")
        return self

    @property
    def key(self) -> EntityKey:
        return EntityKey(self.entity_type, self.id)

    def write(self, document: str | None) -> Write:
        """``document`` is the body as it was sent. Raises InvalidInputError for tags that cannot be read."""
        if_match = None if self.if_match is None else asked_versions(self.if_match)
        condition = WriteCondition(if_match=if_match, must_be_absent=self.if_none_match is not None)
        return Write(Verb(self.op), self.key, document, condition, self.ttl_seconds)


class BatchWriteForm(BaseModel):
    """Some writes, each of another entity."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    writes: Annotated[list[WriteForm], Field(min_length=1, max_length=WRITES_MAX)]


async def read_batch(request: Request, limits: Limits) -> bytes:
    """The body, of which `writes_of` makes a batch. Raises what `read_body` and `check_document` raise.

    Its size is limited as a whole, its depth for each document in it.
    """
    body = await read_body(request, is_document_type, limit_bytes=limits.body_bytes)
    check_document(body, max_depth=limits.json_depth + _LEVELS_ABOVE_A_DOCUMENT)
    return body


def writes_of(body: bytes, *, ttl_seconds_max: float) -> list[Write]:
    """The batch that a checked body describes. Raises InvalidBodyError."""
    forms, text = form_of(body, BatchWriteForm).writes, body.decode()
    # The form has one member, the list, and no name has a bracket: the first one begins it.
    documents = [members.get("body") for members in texts_of_objects(text, text.index("["))]
    faults = [*_repeated(forms), *_overlong(forms, ttl_seconds_max)]
    writes: list[Write] = []
    for place, (form, document) in enumerate(zip(forms, documents, strict=True)):
        try:
            writes.append(form.write(document))
        except InvalidInputError as error:
            faults.append(Fault(f"/writes/{place}/if_match", str(error)))
    if faults:
        raise InvalidBodyError.at(*faults)
    return writes


def _repeated(forms: Sequence[WriteForm]) -> Iterator[Fault]:
    """Which of two writes comes first, a transaction could say, but no caller would be the wiser."""
    first: dict[EntityKey, int] = {}
    for place, form in enumerate(forms):
        earlier = first.setdefault(form.key, place)
        if earlier != place:
            yield Fault(f"/writes/{place}", f"is of the same entity as /writes/{earlier}")


def _overlong(forms: Sequence[WriteForm], ttl_seconds_max: float) -> Iterator[Fault]:
    for place, form in enumerate(forms):
        if form.ttl_seconds is not None and form.ttl_seconds > ttl_seconds_max:
            yield Fault(f"/writes/{place}/ttl_seconds", f"must be a number above 0, up to {ttl_seconds_max:g}")
