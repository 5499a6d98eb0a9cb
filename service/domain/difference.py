"""The difference of two JSON trees as a JSON Patch (RFC 6902). Exact: `1`, `1.0`, `true` and `"1"` are four values.

Members are compared by name; of two arrays the common beginning and the common end are kept, and what lies between is
compared place by place: quick, and not always the shortest. Python's `==` decides, for a tree holds no Python numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

from service.domain.exact_json import Json, pointer_to

Operation = dict[str, Json]


def difference(before: Json, after: Json) -> list[Operation]:
    """Operations that turn ``before`` into ``after``, in order; none where they are the same."""
    return list(_changes(before, after, ""))


def _changes(before: Json, after: Json, at: str) -> Iterator[Operation]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_objects(before, after, at)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_arrays(before, after, at)
    elif before != after:
        yield {"op": "replace", "path": at, "value": after}


def _of_objects(before: dict[str, Json], after: dict[str, Json], at: str) -> Iterator[Operation]:
    for name in before:
        if name not in after:
            yield {"op": "remove", "path": at + pointer_to(name)}
    for name, value in after.items():
        if name in before:
            yield from _changes(before[name], value, at + pointer_to(name))
        else:
            yield {"op": "add", "path": at + pointer_to(name), "value": value}


def _of_arrays(before: list[Json], after: list[Json], at: str) -> Iterator[Operation]:
    shorter = min(len(before), len(after))
    start = 0
    while start < shorter and before[start] == after[start]:
        start += 1
    end = 0
    while end < shorter - start and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    paired = min(len(old), len(new))
    for index in range(paired):
        yield from _changes(old[index], new[index], f"{at}/{start + index}")
    for index in range(len(old) - 1, paired - 1, -1):
        yield {"op": "remove", "path": f"{at}/{start + index}"}
    for index in range(paired, len(new)):
        yield {"op": "add", "path": f"{at}/{start + index}", "value": new[index]}
