"""What a request's line says: the name in the path, read in three ways, and the query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

from fastapi.exceptions import RequestValidationError
from pydantic import StringConstraints, TypeAdapter, ValidationError
from starlette.datastructures import QueryParams
from starlette.routing import compile_path

from service.api.conditions import read_condition
from service.api.directives import read_ttl
from service.api.hot_targets import target_of
from service.api.names import ENTITY_PATH, location, register_name_convertors
from service.api.parameter_names import PARAMETER_PATH, parameter_location
from service.api.queries import PAGE_MAX, read_flag, read_limit, read_moment, read_seconds, read_text, read_version
from service.domain.entity import ENTITY_ID_PATTERN, ENTITY_TYPE_PATTERN, PREFIX_PATTERN, EntityKey
from tests.fuzz.target import Target, joined, parts_of

register_name_convertors()
_ENTITY, _PARAMETER = compile_path(ENTITY_PATH)[0], compile_path(PARAMETER_PATH)[0]
_TYPE: TypeAdapter[str] = TypeAdapter(Annotated[str, StringConstraints(pattern=ENTITY_TYPE_PATTERN)])
_ID: TypeAdapter[str] = TypeAdapter(Annotated[str, StringConstraints(pattern=ENTITY_ID_PATTERN)])


def path(data: bytes) -> None:
    """The short way reads the names that the router and its models read, all of them, and no others."""
    raw_path, tag, modified = parts_of(data, 3)
    decoded = _as_the_server_decodes(raw_path)
    headers = [(b"if-none-match", tag)] if tag else []
    scope = {"type": "http", "method": "GET", "path": decoded, "query_string": b"", "headers": headers}
    target = target_of(scope)
    named = _as_the_router_reads(decoded)
    if target is None:
        assert named is None or tag
        return
    assert (target.entity_type, target.name) == named
    if target.entity_type is None:
        assert _as_the_router_reads(unquote_to_bytes(parameter_location(target.name)).decode()) == named
    else:
        place = location(EntityKey(target.entity_type, target.name))
        assert _as_the_router_reads(unquote_to_bytes(place).decode()) == named
    condition = read_condition({"if-none-match": tag.decode("latin-1")} if tag else {})
    for version in {target.known_version, 7, len(modified)} - {0}:
        assert condition.is_unmodified(version, 0) is (version == target.known_version)


def _as_the_server_decodes(raw_path: bytes) -> str:
    """Uvicorn takes ASCII only, and what is escaped as UTF-8."""
    return unquote_to_bytes(raw_path.decode("latin-1").encode("ascii", "ignore")).decode(errors="replace")


def _as_the_router_reads(decoded: str) -> tuple[str | None, str] | None:
    entity, parameter = _ENTITY.match(decoded), _PARAMETER.match(decoded)
    if entity is not None:
        names = entity["entity_type"], entity["id"]
        return names if _fits(_TYPE, names[0]) and _fits(_ID, names[1]) else None
    if parameter is not None and _fits(_ID, parameter["key"]):
        return None, parameter["key"]
    return None


def _fits(model: TypeAdapter[str], text: str) -> bool:
    try:
        model.validate_python(text)
    except ValidationError:
        return False
    return True


def query(data: bytes) -> None:
    """Each parameter is read, within its range and as it was meant, or refused by its name."""
    given = QueryParams(data.decode("latin-1"))
    limit = _read("limit", lambda: read_limit(given))
    assert limit is None or (1 <= limit <= PAGE_MAX and limit == int(given.get("limit", "100")))
    seconds = _read("seconds", lambda: read_seconds(given, longest=3_600.0))
    assert seconds is None or 1 <= seconds <= 3_600
    version = _read("against", lambda: read_version(given, "against"))
    assert version is None or (0 < version < 2**63 and version == int(given["against"]))
    ttl = _read("ttl_seconds", lambda: read_ttl(given, longest_seconds=60.0))
    assert ttl is None or 0 < ttl <= 60
    flag = _read("flag", lambda: read_flag(given, "flag"))
    assert flag is None or flag is (given.get("flag") == "true")
    moment = _read("at", lambda: read_moment(given, "at"))
    assert moment is None or moment.utcoffset() is not None
    prefix = _read("prefix", lambda: read_text(given, "prefix", PREFIX_PATTERN))
    cursor = _read("cursor", lambda: read_text(given, "cursor", ENTITY_ID_PATTERN))
    for text in (prefix, cursor):
        assert not text or _fits(_ID, text)


def _read(name: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except RequestValidationError as error:
        [fault] = error.errors()
        assert fault["loc"] == ("query", name)
        return None


TARGETS = (
    Target(
        "path",
        path,
        (
            joined("/v1/entities/country/JP", b'"7"'),
            joined("/v1/parameters/app:config:max_users", b'W/"7"'),
            b"/v1/entities/country/a%3Ab%2Fc",
            joined("/v1/entities/count%72y/%4aP~x", b'"1", "7"'),
        ),
        (b"%2F", b"%0A", b"%C3%A9", b"%FF", b"/", b"~", b"entities/", b"parameters/", b"\0", b'"', b"%00", b"%25"),
    ),
    Target(
        "query",
        query,
        (
            b"limit=10&prefix=JP&cursor=a:b&flag=true",
            b"seconds=60&against=7&at=2026-11-20T09:00:00.5%2B09:00&ttl_seconds=1e-3",
        ),
        (b"&", b"=", b"%2B", b"limit=", b"cursor=", b"at=", b"ttl_seconds=", b"e9", b"99999999999999999999", b"%0a"),
    ),
)
