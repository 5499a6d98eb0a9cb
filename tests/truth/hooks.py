"""What Schemathesis is told about Aside, beside `schemathesis.toml`: it imports this, in a process of its own."""

from __future__ import annotations

import atexit
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import Failure, ServerError
from schemathesis.openapi.checks import RejectedPositiveData

from tests.truth.beyond import BUSY, Refused, is_busy, reason_for
from tests.truth.variables import EXCUSED_VARIABLE, KEY_VARIABLE

_excused: Counter[str] = Counter()
_OWN_ID = os.environ[KEY_VARIABLE].split("_")[2]
_TAG = st.builds(
    '{}"{}"'.format, st.sampled_from(["", "W/"]), st.one_of(st.integers(1, 50), st.just("of another kind"))
)
_TAGS, _ANY, _KEY = "entity-tags", "any-entity-tag", "idempotency-key"

schemathesis.openapi.format(_ANY, st.just("*"))
schemathesis.openapi.format(_KEY, st.uuids().map('"{}"'.format))
schemathesis.openapi.format(_TAGS, st.one_of(st.just("*"), st.lists(_TAG, min_size=1, max_size=3).map(", ".join)))


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """Give entity tags, and keys of attempts, a name: in its coverage phase, Schemathesis writes no quotation marks and
    stars into headers. It would send `0` instead, and call it valid.
    """
    for methods in raw_schema["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] in {"If-Match", "If-None-Match"}:
                    schema = parameter["schema"]
                    schema["format"] = _TAGS if '"' in schema["pattern"] else _ANY
                elif parameter["name"] == "Idempotency-Key":
                    parameter["schema"]["format"] = _KEY


@schemathesis.hook
def filter_case(context: HookContext, case: Case) -> bool:
    """Leave the campaign its own key: it is among those that are listed."""
    is_of_keys = case.operation.path.startswith("/v1/keys/") and case.operation.method.upper() != "GET"
    return not (is_of_keys and case.path_parameters.get("id") == _OWN_ID)


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    """Drop what no document could say, and count it."""
    if isinstance(failure, RejectedPositiveData):
        reason = reason_for(_refused(case, response))
    elif isinstance(failure, ServerError):
        reason = BUSY if is_busy(_refused(case, response)) else None
    else:
        reason = None
    if reason is None:
        return True
    _excused[reason] += 1
    return False


def _refused(case: Case, response: Response) -> Refused:
    return Refused(
        operation_id=case.operation.definition.raw["operationId"],
        status=response.status_code,
        path=case.path_parameters or {},
        query=case.query or {},
        headers=dict(case.headers or {}),
        problem=response.json() if response.content else None,
        retry_after=next(iter(response.headers.get("retry-after", [])), None),
    )


@atexit.register
def _tell() -> None:
    Path(os.environ[EXCUSED_VARIABLE]).write_text(json.dumps(_excused))
