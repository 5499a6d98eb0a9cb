"""Was it all as promised? What clients saw, held against what PostgreSQL says became true, and when.

Each key is a register whose states follow each other in the order of commits. An answer shows one of these states; it
must be one that existed by the end of the request, and not an older one than

- any that was answered, or acknowledged, before the request began,
- any that had been committed for the bound when the request began, whoever committed it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from tests.simulation.clients import FOREVER, Key, Operation
from tests.simulation.pg_rows import State

_NOTHING = State(0, None, -1.0)
_ROUNDING_SECONDS = 0.002
"""Redis's clock counts milliseconds."""


def violations(
    operations: Iterable[Operation], history: Mapping[Key, Sequence[State]], *, bound_seconds: float
) -> list[str]:
    """What must not have been, in words; empty for a good run."""
    by_key: dict[Key, list[Operation]] = defaultdict(list)
    for operation in operations:
        if operation.ended != FOREVER and (operation.binds or operation.outcome == "not waited for"):
            by_key[operation.key].append(operation)
    return [
        line
        for key, some in by_key.items()
        for line in _of_one_key(key, some, [_NOTHING, *history.get(key, ())], bound_seconds)
    ]


def _of_one_key(key: Key, operations: list[Operation], states: list[State], bound_seconds: float) -> Iterable[str]:
    places: dict[int, list[int]] = defaultdict(list)
    for place, state in enumerate(states):
        places[state.version].append(place)
    absences = [place for place, state in enumerate(states) if state.body is None]
    since = [state.since for state in states]
    ended: list[float] = []
    known: list[tuple[int, Operation]] = []
    for operation in sorted(operations, key=lambda each: each.ended):
        before = bisect_left(ended, operation.began)
        floor, witness = known[before - 1] if before else (0, None)
        visible = bisect_right(since, operation.began - bound_seconds - _ROUNDING_SECONDS) - 1
        # "Nothing", with no version to it, may be any absence: clients are told no version of what is not there.
        found = places.get(operation.version, []) if operation.version else absences
        fitting = [place for place in found if place >= max(floor, visible)]
        what = f"{key[1]}: {operation.kind} at {operation.node} ({operation.outcome}) got version {operation.version}"
        when = f" [{operation.began:.6f} to {operation.ended:.6f}]"
        if not found:
            yield f"{what}, which was never committed{when}"
            continue
        if not fitting:
            if found[-1] < floor and witness is not None:
                yield (
                    f"{what}, but version {witness.version} was known at {witness.ended:.6f} by {witness.kind} at "
                    f"{witness.node} ({witness.outcome}){when}"
                )
            else:
                yield f"{what}, but version {states[visible].version} was true since {since[visible]:.6f}{when}"
            continue
        place = fitting[0]
        if states[place].body != operation.body:
            yield f"{what} with {operation.body!r}, but that version is {states[place].body!r}{when}"
        if since[place] > operation.ended:
            yield f"{what} before it was committed{when}"
        if operation.binds:
            ended.append(operation.ended)
            best = known[-1] if known and known[-1][0] >= place else (place, operation)
            known.append(best)
