"""Who goes first on cores that are too few: what asks and times, and Valkey, which would have machines of their own."""

from __future__ import annotations

import os

_PRIORITY = 10


def put_first(pid: int) -> bool:
    """Ahead of everybody who is not put first. False where this user may not, or this system cannot."""
    try:
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(_PRIORITY))
    except (AttributeError, PermissionError):
        return False
    return True
