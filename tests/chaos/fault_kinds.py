"""Names for what can be done to a stage: each kind is a context that breaks something, and mends it at its end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from tests.chaos.plan import Fault
from tests.chaos.stage import Stage

Inject = Callable[[Stage, Fault], AbstractAsyncContextManager[None]]

INJECTIONS: dict[str, Inject] = {}


def kind(name: str) -> Callable[[Inject], Inject]:
    """Registers a context under the name that plans use."""

    def register(inject: Inject) -> Inject:
        INJECTIONS[name] = inject
        return inject

    return register


def number_of(target: str) -> int:
    """`replica-2` → 2"""
    return int(target.rpartition("-")[2])
