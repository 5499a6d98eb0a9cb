"""Histories that a linearizable service could have produced, and ways to make each of them impossible.

A little world is played: one key after another is written, deleted, read, over intervals that overlap; each operation
takes effect at one moment inside its interval, in the order of versions. So every history is good by construction. A
mutation then changes what an operation was answered, in a way of which the world knows that nothing explains it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from hashlib import md5

from tests.chaos.checking import CLOCK_SLACK_SECONDS, Checker
from tests.chaos.observation import Kind, Observation, Row

BOUND_SECONDS = 1.0
KEYS = ("thing:a", "price:b", "parameter:c")


@dataclass
class History:
    """``effects`` has, for each operation, when it took effect. ``committed`` when each version was, at the latest."""

    operations: list[Observation] = field(default_factory=list)
    effects: list[float] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    committed: dict[int, float] = field(default_factory=dict)

    def add(self, operation: Observation, effect: float) -> None:
        self.operations.append(operation)
        self.effects.append(effect)

    def row_of(self, operation: Observation) -> Row | None:
        return next((row for row in self.rows if row.version == operation.version), None)


def body_of(key: str, version: int) -> bytes:
    return f'{{"key": "{key}", "mark": "{key}#{version}"}}'.encode()


def good_history(seed: int, *, steps: int = 150) -> History:
    chance, history = random.Random(seed), History()
    now, version = 10.0, 0
    current: dict[str, Row] = {key: Row(0, key, deleted=True) for key in KEYS}
    for _ in range(steps):
        now += chance.expovariate(1 / 0.03)  # the moment of effect
        began, ended = now - chance.random() * 0.2, now + chance.random() * 0.2
        key = chance.choice(KEYS)
        draw = chance.random()
        before = current[key]
        if draw < 0.7:
            is_served = not before.deleted
            history.add(
                Observation(
                    kind=Kind.READ, key=key, replica=chance.randrange(3), began=began, ended=ended,
                    version=before.version if is_served else 0, outcome="hit",
                    body=body_of(key, before.version) if is_served and chance.random() < 0.9 else None,
                ),
                now,
            )  # fmt: skip
            continue
        version += 1 + chance.randrange(3)
        if draw < 0.72:  # TRUNCATE: by plain SQL, known to nobody at first
            _commit(history, Row(version, "*", deleted=True), now)
            for each in KEYS:
                current[each] = Row(version, each, deleted=True)
            continue
        is_deletion = draw < 0.8 and not before.deleted
        digest = "" if is_deletion else md5(body_of(key, version)).hexdigest()
        current[key] = Row(version, key, deleted=is_deletion, digest=digest, mark=f"{key}#{version}")
        _commit(history, current[key], now)
        if draw > 0.95:
            continue  # plain SQL, or a write whose client went away: nobody is told
        history.add(
            Observation(
                kind=Kind.DELETE if is_deletion else Kind.WRITE, key=key, replica=0, began=began, ended=ended,
                version=0 if is_deletion else version, body=None if is_deletion else body_of(key, version),
                expected=before.version if not before.deleted and chance.random() < 0.5 else 0,
            ),
            now,
        )  # fmt: skip
    return history


def _commit(history: History, row: Row, at: float) -> None:
    history.rows.append(row)
    history.committed[row.version] = at


def faults_of(history: History, *, windows: int = 7) -> list[str]:
    """What the checker says, given the history in so many windows, as a campaign would."""
    checker = Checker(BOUND_SECONDS)
    ended = sorted(history.operations, key=lambda operation: operation.ended)
    size = max(1, len(ended) // windows)
    told = 0
    for start in range(0, len(ended), size):
        window = ended[start : start + size]
        until = max(operation.ended for operation in window)
        news = [row for row in history.rows[told:] if history.committed[row.version] <= until]
        told += len(news)
        checker.learn(news, lambda row: history.committed[row.version])
        later = [operation.began for operation in ended[start + size :]]
        checker.judge(window, oldest_began=min([until, *later]))
    return [violation.what for violation in checker.violations]


Mutation = Callable[[History, random.Random], bool]
"""Changes one operation so that nothing explains the history any more; False where this history has none to change."""


def lowered_version(history: History, chance: random.Random) -> bool:
    """A read answers with an older version than one that was *told* to somebody before it began."""
    for number in _shuffled(history, chance, Kind.READ):
        read = history.operations[number]
        known = _known_before(history, read)
        older = [row for row in history.rows if row.key == read.key and not row.deleted and row.version < known]
        if older:
            row = chance.choice(older)
            history.operations[number] = replace(
                read, version=row.version, body=body_of(read.key, row.version), mark=None
            )
            return True
    return False


def dropped_effect(history: History, chance: random.Random) -> bool:
    """An acknowledged write has not happened: PostgreSQL has no such version."""
    for number in _shuffled(history, chance, Kind.WRITE):
        write = history.operations[number]
        history.rows = [row for row in history.rows if row.version != write.version]
        return True
    return False


def body_of_another_version(history: History, chance: random.Random) -> bool:
    for number in _shuffled(history, chance, Kind.READ, Kind.WRITE):
        operation = history.operations[number]
        if operation.version and operation.body is not None:
            history.operations[number] = replace(operation, body=body_of(operation.key, operation.version + 1))
            return True
    return False


def answer_under_another_key(history: History, chance: random.Random) -> bool:
    """A value, its version with it, is answered under a key that never had it."""
    for number in _shuffled(history, chance, Kind.READ):
        operation = history.operations[number]
        if operation.version:
            other = chance.choice([key for key in KEYS if key != operation.key])
            history.operations[number] = replace(operation, key=other)
            return True
    return False


def swapped_answers(history: History, chance: random.Random) -> bool:
    """Two reads of one key, one wholly after the other, with another value: each gets the answer of the other."""
    numbers = _shuffled(history, chance, Kind.READ)
    for first in numbers:
        for second in numbers:
            early, late = history.operations[first], history.operations[second]
            if early.key == late.key and early.ended < late.began and 0 < early.version < late.version:
                history.operations[first] = replace(early, version=late.version, body=late.body)
                history.operations[second] = replace(late, version=early.version, body=early.body)
                return True
    return False


def vanished_value(history: History, chance: random.Random) -> bool:
    """Nothing is there, though a value was told before and nobody has deleted it since."""
    for number in _shuffled(history, chance, Kind.READ):
        read = history.operations[number]
        known = _known_before(history, read)
        if known and not any(
            row.deleted and row.key in (read.key, "*") and row.version >= known for row in history.rows
        ):
            history.operations[number] = replace(read, version=0, body=None)
            return True
    return False


def late_old_answer(history: History, chance: random.Random) -> bool:
    """A read that began B after a commit of which nobody has told anything shows what was before it."""
    for number in _shuffled(history, chance, Kind.READ):
        read = history.operations[number]
        limit = read.began - BOUND_SECONDS - 2 * CLOCK_SLACK_SECONDS
        due = [row for row in history.rows if row.key == read.key and history.committed[row.version] < limit]
        older = [row for row in due[:-1] if not row.deleted]
        if older:
            row = older[-1]
            history.operations = [o for o in history.operations if o.key != read.key or o is read]
            position = next(n for n, operation in enumerate(history.operations) if operation is read)
            history.operations[position] = replace(read, version=row.version, body=body_of(read.key, row.version))
            return True
    return False


def resurrected_condition(history: History, chance: random.Random) -> bool:
    """If-Match was accepted although another version stood between."""
    for number in _shuffled(history, chance, Kind.WRITE):
        write = history.operations[number]
        before = [row.version for row in history.rows if row.key in (write.key, "*") and row.version < write.version]
        if len(before) > 1:
            history.operations[number] = replace(write, expected=before[-2])
            return True
    return False


def unexplained_deletion(history: History, chance: random.Random) -> bool:
    """A deletion is acknowledged, and all tombstones of the key are gone."""
    for number in _shuffled(history, chance, Kind.DELETE):
        key = history.operations[number].key
        history.rows = [row for row in history.rows if not (row.deleted and row.key in (key, "*"))]
        return True
    return False


def repeated_version(history: History, chance: random.Random) -> bool:
    """Two writes, one wholly after the other, are told the same version."""
    numbers = _shuffled(history, chance, Kind.WRITE)
    for first in numbers:
        for second in numbers:
            early, late = history.operations[first], history.operations[second]
            if early.key == late.key and early.ended < late.began:
                history.operations[second] = replace(late, version=early.version, body=early.body, expected=0)
                return True
    return False


MUTATIONS: tuple[Mutation, ...] = (
    lowered_version,
    dropped_effect,
    body_of_another_version,
    answer_under_another_key,
    swapped_answers,
    vanished_value,
    late_old_answer,
    resurrected_condition,
    unexplained_deletion,
    repeated_version,
)


def _shuffled(history: History, chance: random.Random, *kinds: Kind) -> list[int]:
    numbers = [number for number, operation in enumerate(history.operations) if operation.kind in kinds]
    chance.shuffle(numbers)
    return numbers


def _known_before(history: History, read: Observation) -> int:
    """The highest version of its key that an answer had named before the read began."""
    return max(_versions_told(history.operations, read), default=0)


def _versions_told(operations: Iterable[Observation], read: Observation) -> list[int]:
    return [o.version for o in operations if o.key == read.key and o.ended < read.began]
