"""Every state that can be reached, in the order of the number of steps: the first violation is a shortest one."""

from __future__ import annotations

import gc
from collections import deque
from dataclasses import dataclass

from tests.model import network, readers, surroundings, writers
from tests.model.rules import Rules, Steps
from tests.model.state import State, beginning, canonical


@dataclass(frozen=True, slots=True)
class Scope:
    """How small the world is."""

    writers: int
    readers: int
    sql: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """``trace`` is empty where no read ever answered anything older than it must."""

    states: int
    trace: tuple[str, ...]


def following(state: State, rules: Rules) -> Steps:
    for surrounding in (*surroundings.STEPS, *network.STEPS):
        yield from surrounding(state, rules)
    for index, writer in enumerate(state.writers):
        if writer.at != "done" and (index == 0 or writer != state.writers[index - 1]):
            for write in writers.STEPS:
                yield from write(state, index, writer, rules)
    for index, reader in enumerate(state.readers):
        if reader.at != "done" and (index == 0 or reader != state.readers[index - 1]):
            for read in readers.STEPS:
                yield from read(state, index, reader, rules)


def is_violated(state: State) -> bool:
    """A read is about to answer less than was acknowledged, or answered, before it began."""
    return any(reader.at == "answering" and reader.value < reader.least for reader in state.readers)


def explore(rules: Rules, scope: Scope) -> Found:
    """Millions of tuples, none of them in a circle: looking for circles would take half of the time."""
    looked = gc.isenabled()
    gc.disable()
    try:
        return _explore(rules, scope)
    finally:
        if looked:
            gc.enable()


def _explore(rules: Rules, scope: Scope) -> Found:
    first = canonical(beginning(writers=scope.writers, readers=scope.readers, sql=scope.sql))
    came_from: dict[State, tuple[State, str] | None] = {first: None}
    waiting = deque([first])
    while waiting:
        state = waiting.popleft()
        for label, reached in following(state, rules):
            new = canonical(reached)
            known = len(came_from)
            came_from.setdefault(new, (state, label))
            if len(came_from) == known:
                continue
            if is_violated(new):
                return Found(len(came_from), _trace(came_from, new))
            waiting.append(new)
    return Found(len(came_from), ())


def _trace(came_from: dict[State, tuple[State, str] | None], state: State) -> tuple[str, ...]:
    labels: list[str] = []
    step = came_from[state]
    while step is not None:
        state, label = step
        labels.append(label)
        step = came_from[state]
    return tuple(reversed(labels))
