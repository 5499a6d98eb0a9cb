"""What the members of `purge` and `warm` may be beside each other, as JSON Schema; the forms say it in words.

With `if`, not with `oneOf`: to programs that make clients out of the document, each body stays one class.
"""

from __future__ import annotations

from pydantic.config import JsonDict

_ABSENT: JsonDict = {"type": "null"}
_TYPE: JsonDict = {"type": "string"}
_LIST: JsonDict = {"type": "array"}
_NO_PREFIX: JsonDict = {"const": ""}


def _given(**members: JsonDict) -> JsonDict:
    return {"properties": dict(members), "required": list(members)}


def _if_given(**members: JsonDict) -> JsonDict:
    return {"properties": dict(members)}


PURGE_CONDITIONS: JsonDict = {
    "if": _given(all={"const": True}),
    "then": _if_given(entity_type=_ABSENT, ids=_ABSENT, prefix=_NO_PREFIX),
    "else": {
        **_given(entity_type=_TYPE),
        "if": _given(ids=_LIST),
        "then": _if_given(prefix=_NO_PREFIX),
    },
}
WARM_CONDITIONS: JsonDict = {
    "if": _given(entity_types=_LIST),
    "then": _if_given(entity_type=_ABSENT, ids=_ABSENT, hot=_ABSENT),
    "else": {
        **_if_given(prefix=_NO_PREFIX),
        "if": _given(ids=_LIST),
        "then": {"required": ["entity_type"], **_if_given(entity_type=_TYPE, hot=_ABSENT)},
        "else": {"required": ["hot"], **_if_given(entity_type=_ABSENT, hot={"type": "integer"})},
    },
}
