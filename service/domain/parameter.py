"""What a parameter is made of, and which request bodies describe one. Knows no storage and no HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from service.domain.exact_json import Json, Numeral, member_text, parse_exact, pointer_to, render_exact
from service.domain.parameter_types import ParameterType, parse_value, render_value
from service.errors import Fault, InvalidParameterError

PARAMETER = "parameter"
"""The entity type of parameters. It is reserved: nothing else writes entities of this type."""

DESCRIPTION_CHARACTERS_MAX = 4_096
SCHEMA_BYTES_MAX = 65_536
SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_SETTABLE = ("type", "value", "description", "schema", "ttl_seconds")
_READ_ONLY = frozenset({"key", "version", "updated_at", "updated_by"})
"""What a parameter that was read may bring along when it is sent back: taken, and not looked at."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a writer decides about a parameter. ``value`` and ``schema`` are exact JSON; None: there is no schema."""

    type: ParameterType
    value: Json
    description: str | None = None
    schema: Json = None
    ttl_seconds: float | None = None

    @property
    def tree(self) -> dict[str, Json]:
        """As JSON, with every member that can be set: what two versions are compared by."""
        ttl = None if self.ttl_seconds is None else _numeral(self.ttl_seconds)
        members = (self.type.value, self.value, self.description, self.schema, ttl)
        return dict(zip(_SETTABLE, members, strict=True))

    @property
    def stored(self) -> str:
        """As it is kept: without the members that say nothing."""
        kept = {name: member for name, member in self.tree.items() if member is not None or name == "value"}
        return render_exact(kept)


@dataclass(frozen=True, slots=True)
class Authorship:
    """Who writes, and why, as far as they say."""

    actor: str | None = None
    reason: str | None = None


NOBODY = Authorship()


def read_content(text: str, *, key: str, ttl_seconds_max: float) -> Content:
    """The parameter that a checked request body describes. Raises InvalidParameterError with every fault."""
    body = parse_exact(text)
    if not isinstance(body, dict):
        raise InvalidParameterError.at(Fault("", "must be an object with `type` and `value`"))
    faults = list(_faults_of_members(body, key, ttl_seconds_max))
    value: Json = None
    kind = body.get("type")
    if isinstance(kind, str) and kind in _TYPES and "value" in body:
        try:
            value = render_value(ParameterType(kind), parse_value(ParameterType(kind), body["value"]))
        except ValueError as error:
            faults.append(Fault("/value", f"of type {kind}: {error}"))
    if faults:
        raise InvalidParameterError.at(*faults)
    return content_of({**body, "value": value})


def with_value(content: Content, text: str) -> Content:
    """The same parameter with the value that a checked request body is. Raises InvalidParameterError."""
    try:
        value = render_value(content.type, parse_value(content.type, parse_exact(text)))
    except ValueError as error:
        raise InvalidParameterError.at(Fault("", f"of type {content.type}: {error}")) from None
    return replace(content, value=value)


def content_of(tree: dict[str, Json]) -> Content:
    """The content of a tree that is known to be good: a checked body, or what is stored."""
    ttl = tree.get("ttl_seconds")
    return Content(
        type=ParameterType(tree["type"]),
        value=tree["value"],
        description=tree.get("description"),
        schema=tree.get("schema"),
        ttl_seconds=None if ttl is None else float(ttl.text),
    )


def _numeral(seconds: float) -> Numeral:
    return Numeral(str(int(seconds)) if seconds.is_integer() else repr(seconds))


_TYPES = frozenset(kind.value for kind in ParameterType)


def _faults_of_members(body: dict[str, Json], key: str, ttl_seconds_max: float) -> Iterable[Fault]:
    for name in body:
        if name not in _SETTABLE and name not in _READ_ONLY:
            yield Fault(pointer_to(name), "is no member of a parameter")
    for name in ("type", "value"):
        if name not in body:
            yield Fault(pointer_to(name), "is missing")
    if "type" in body and not (isinstance(body["type"], str) and body["type"] in _TYPES):
        yield Fault("/type", f"must be one of {', '.join(ParameterType)}")
    if body.get("key", key) != key:
        yield Fault("/key", "is another key than the path's")
    description = body.get("description")
    if description is not None and not isinstance(description, str):
        yield Fault("/description", "must be a string")
    elif description is not None and len(description) > DESCRIPTION_CHARACTERS_MAX:
        yield Fault("/description", f"must not be longer than {DESCRIPTION_CHARACTERS_MAX} characters")
    if not _is_lifetime(body.get("ttl_seconds"), ttl_seconds_max):
        yield Fault("/ttl_seconds", f"must be a number above 0, up to {ttl_seconds_max:.10g}")
    yield from _faults_of_schema(body.get("schema"))


def _is_lifetime(value: Json, longest_seconds: float) -> bool:
    return value is None or (isinstance(value, Numeral) and 0 < float(value.text) <= longest_seconds)


def _faults_of_schema(schema: Json) -> Iterable[Fault]:
    """What can be seen without a validator: its kind, its size, its dialect, and that it points nowhere else."""
    if schema is None or isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        yield Fault("/schema", "must be an object, true or false")
        return
    if len(render_exact(schema).encode()) > SCHEMA_BYTES_MAX:
        yield Fault("/schema", f"must not be larger than {SCHEMA_BYTES_MAX} bytes")
        return
    yield from _faults_of_references(schema, "/schema")


def _faults_of_references(node: Json, at: str) -> Iterable[Fault]:
    """References that lead out of the document. They would never be followed; to say so beats to fail later."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _faults_of_references(item, f"{at}/{index}")
    if not isinstance(node, dict):
        return
    for name, member in node.items():
        place = at + pointer_to(name)
        if name in {"$ref", "$dynamicRef"} and isinstance(member, str) and not member.startswith("#"):
            yield Fault(place, "must begin with #: a schema refers to itself only, nothing is fetched")
        elif name == "$schema" and isinstance(member, str) and member.rstrip("#") != SCHEMA_DIALECT:
            yield Fault(place, f"must be {SCHEMA_DIALECT}")
        elif name not in _DATA:
            yield from _faults_of_references(member, place)


_DATA = frozenset({"const", "enum", "default", "examples"})


def value_text(document: bytes) -> bytes:
    """The bare value out of a parameter as it is served, every digit of it.

    `value` comes third there, after a key and a type that hold no quotation mark, so that the first place is the one.
    """
    text = document.decode()
    return member_text(text, text.index(_VALUE) + len(_VALUE)).encode()


_VALUE = '"value": '
