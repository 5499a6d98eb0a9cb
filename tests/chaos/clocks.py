"""Replicas on hosts whose clocks are an hour apart, for their whole lives.

With libfaketime (Debian: `apt-get install faketime`) every reading of the wall clock in the process is shifted, C code
included. Without it, Python's `time.time` and `time.time_ns` are, by a module that Python imports before all else. The
monotonic clock is left alone: it has no hour.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
_LIBRARIES = "/usr/lib/*/faketime/libfaketimeMT.so.1"
_SHIFT = """import time
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + {seconds}
time.time_ns = lambda: _time_ns() + {seconds} * 1_000_000_000
"""


def library() -> Path | None:
    return next(iter(Path("/").glob(_LIBRARIES.removeprefix("/"))), None)


def shifted_environment(seconds: int, folder: Path) -> dict[str, str]:
    """Variables for a process whose wall clock is so far ahead (or behind)."""
    if not seconds:
        return {}
    if found := library():
        return {
            "LD_PRELOAD": str(found),
            "FAKETIME": f"{seconds:+d}s",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DISABLE_SHM": "1",
        }
    shift = folder / f"clock{seconds:+d}"
    shift.mkdir(exist_ok=True)
    (shift / "sitecustomize.py").write_text(_SHIFT.format(seconds=seconds))
    return {"PYTHONPATH": f"{shift}:{ROOT}"}


def how() -> str:
    return "libfaketime" if library() else "Python's time.time, shifted in the process"
