"""Which core does what: the measured server has the first one, the load and the stores share the second one.

And what a server uses of its own.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Cores(NamedTuple):
    """Sets of core numbers; the same one twice where there is but one core."""

    server: frozenset[int]
    others: frozenset[int]

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
    return Cores(frozenset(allowed[:1]), frozenset(allowed[1:2] or allowed[:1]))


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
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(ProcessLookupError, FileNotFoundError):
            os.sched_setaffinity(int(task.name), cores)
            for child in (task / "children").read_text().split():
                pin(int(child), cores)
