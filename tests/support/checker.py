"""Was a history possible? Each key is a register of versions: what has been seen once is never unseen."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence

from tests.support.load import Operation


def violations(history: Iterable[Operation]) -> list[str]:
    """What linearizability forbids, in words; empty for a good history.

    A read must not return less than what was returned, or acknowledged as written, before the read began. A write must
    get more than that. One version has one body. What failed proves nothing, and answers that say of themselves that
    they are stale are not held to it.
    """
    by_key: dict[str, list[Operation]] = defaultdict(list)
    for operation in history:
        if operation.is_answered and operation.outcome != "stale":
            by_key[operation.key].append(operation)
    return [line for operations in by_key.values() for line in (*_backwards(operations), *_disputed(operations))]


def _backwards(operations: Sequence[Operation]) -> Iterable[str]:
    ended = sorted(operations, key=lambda operation: operation.ended)
    ends = [operation.ended for operation in ended]
    highest: list[Operation] = []
    for operation in ended:
        highest.append(max(highest[-1], operation, key=_version) if highest else operation)
    for operation in operations:
        before = bisect_left(ends, operation.began)
        if before == 0:
            continue
        known = highest[before - 1]
        if _version(operation) < _version(known) or (operation.is_write and _version(operation) == _version(known)):
            what = "a write got" if operation.is_write else "a read returned"
            late_ms = (operation.began - known.ended) * 1000
            yield (
                f"{operation.key}: {what} version {_version(operation)} from {operation.url} "
                f"({operation.cache_status}), {late_ms:.1f} ms after version {_version(known)} was known"
            )


def _disputed(operations: Sequence[Operation]) -> Iterable[str]:
    bodies: dict[int, bytes] = {}
    for operation in operations:
        version = _version(operation)
        if version and bodies.setdefault(version, operation.body) != operation.body:
            yield f"{operation.key}: version {version} is both {bodies[version]!r} and {operation.body!r}"


def _version(operation: Operation) -> int:
    """Nothing there, and no version named, is less than anything."""
    return operation.version or 0
