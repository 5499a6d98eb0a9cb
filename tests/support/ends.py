"""Waiting for the end of processes that are not our children."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterable


def ended_within(pids: Iterable[int], timeout_seconds: float = 15.0) -> bool:
    """Whether all these processes end in time. A zombie has ended."""
    deadline = time.monotonic() + timeout_seconds
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        finally:
            os.close(descriptor)
        if not ready:
            return False
    return True
