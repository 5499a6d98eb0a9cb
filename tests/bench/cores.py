"""Which core does what: the measured server has the first one, the load and the stores share the second one.

And what a server uses of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple


class Cores(NamedTuple):
    """Sets of core numbers; the same one twice where there is but one core."""

    server: frozenset[int]
    others: frozenset[int]
    all: frozenset[int] = frozenset()
    """What may be used where nothing is divided."""

    @property
    def described(self) -> str:
        if self.server == self.others:
            return "one core: nothing is pinned"
        return f"the measured server on core {min(self.server)}; load, Valkey and PostgreSQL on core {min(self.others)}"


def divide() -> Cores:
    """The cores that this process may use, divided."""
    if not hasattr(os, "sched_getaffinity"):
        return Cores(frozenset(), frozenset())
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(frozenset(allowed[:1]), frozenset(allowed[1:2] or allowed[:1]), frozenset(allowed))


@contextmanager
def divided() -> Iterator[Cores]:
    """Inside, this process and what it starts have the side of the load; the server's core is for who is moved there.

    Divided once, and handed on: who divides what is left to this process divides one core.
    """
    cores = divide()
    try:
        pin(os.getpid(), cores.others)
        yield cores
    finally:
        pin(os.getpid(), cores.all)


@contextmanager
def undivided(cores: Cores) -> Iterator[None]:
    """Inside, this process, what it started, and what it starts have all cores."""
    homes: dict[int, frozenset[int]] = {}
    for pid in family(os.getpid()) if cores.all else ():
        with suppress(ProcessLookupError):  # servers have children that come and go
            homes[pid] = frozenset(os.sched_getaffinity(pid))
    try:
        pin(os.getpid(), cores.all)
        yield
    finally:
        for pid, home in homes.items():
            pin_alone(pid, home)


def family(pid: int) -> list[int]:
    """A process and all that came of it, as far as they are there."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(ProcessLookupError, FileNotFoundError):
            for child in children.read_text().split():
                found += family(int(child))
    return found


def cpu_seconds(pid: int) -> float | None:
    """What a process has had of its processor so far, all its threads together; None where nobody tells."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pin(pid: int, cores: frozenset[int]) -> None:
    """All threads of a process, and all its children; what these start later inherits it."""
    if not cores:
        return
    for each in family(pid):
        pin_alone(each, cores)


def pin_alone(pid: int, cores: frozenset[int]) -> None:
    """All threads of a process."""
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), cores)
