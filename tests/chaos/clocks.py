"""Replicas on hosts whose clocks are an hour apart, for their whole lives.

Python's `time.time` and `time.time_ns` are shifted, by a module that Python imports before all else. That is every
reading of the wall clock that the service makes; the monotonic clock is left alone, as it has no hour.

Not by libfaketime: it gets between Python and `pthread_cond_timedwait` too. Replicas under it stood still for seconds,
with a machine that was busy, and those without it did not.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
_SHIFT = """import time
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + {seconds}
time.time_ns = lambda: _time_ns() + {seconds} * 1_000_000_000
"""


def shifted_environment(seconds: int, folder: Path) -> dict[str, str]:
    """Variables for a process whose wall clock is so far ahead (or behind)."""
    if not seconds:
        return {}
    shift = folder / f"clock{seconds:+d}"
    shift.mkdir(exist_ok=True)
    (shift / "sitecustomize.py").write_text(_SHIFT.format(seconds=seconds))
    return {"PYTHONPATH": f"{shift}:{ROOT}"}
