"""Runs wrk with our script, and reads what it says. What failed is told apart from what was answered."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from service.embedded.processes import Launch, spawn
from tests.bench.figures import Load

SCRIPT = Path(__file__).with_name("load.lua")
LONGEST_SECONDS = 600
START_SECONDS, STOP_SECONDS = 10.0, 10.0
_READY = "BENCH READY"
_numbers = itertools.count(1)
_RESULT = re.compile(r"^BENCH (\{.*\})$", re.MULTILINE)
_ERRORS = ("connect", "read", "write", "timeout", "status")


class WrkError(Exception):
    """wrk is not there, did not start, or did not say what it found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is asked; see `load.lua` for the ways to choose keys. ``head`` and ``tail`` stand around a key."""

    head: str
    tail: str = ""
    method: str = "GET"
    choice: str = "uniform"
    keys: int = 1_000
    place: int = 0
    file: Path | None = None
    connections: int = 64
    authorization: str = ""
    """Sent with each request, where it is not empty. Whoever can list processes can read it."""

    def moved(self, by: int) -> Shape:
        """The same from another place on."""
        return replace(self, place=self.place + by)

    def sent_as(self, authorization: str) -> Shape:
        """The same of another client."""
        return replace(self, authorization=authorization)

    def arguments(self) -> list[str]:
        file = "-" if self.file is None else str(self.file)
        return [
            self.method,
            self.choice,
            str(self.keys),
            str(self.place),
            file,
            self.head,
            self.tail,
            self.authorization,
        ]


def run_wrk(url: str, shape: Shape, *, seconds: float, folder: Path) -> Load:
    """One load. Raises WrkError."""
    with loading(url, shape, folder=folder) as ended:
        time.sleep(seconds)
        return ended()


@contextmanager
def loading(url: str, shape: Shape, *, folder: Path) -> Iterator[Callable[[], Load]]:
    """A load for as long as the block lasts, or until what is yielded is called: it ends the load and returns it.

    wrk counts whole seconds only, so it is told when to stop.
    """
    program = shutil.which("wrk")
    if program is None:
        raise WrkError("wrk is not installed (Debian, Ubuntu: apt-get install wrk)")
    log = folder / f"wrk-{next(_numbers)}.log"
    argv = [
        program, "-t1", f"-c{shape.connections}", f"-d{LONGEST_SECONDS}", "-s", SCRIPT, url, "--", *shape.arguments(),
    ]  # fmt: skip
    process = spawn(Launch(argv=argv, log=log))
    deadline = time.monotonic() + START_SECONDS
    while _READY not in log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise WrkError(f"wrk did not start: {log.read_text(errors='replace').strip()}")
        time.sleep(0.002)

    def end() -> Load:
        process.send_signal(signal.SIGINT)
        process.wait(STOP_SECONDS)
        return read_output(log.read_text(errors="replace"))

    try:
        yield end
    finally:
        process.kill()
        process.wait()
        log.unlink(missing_ok=True)


def read_output(text: str) -> Load:
    """The line that our script prints at the end. Raises WrkError where it is not there."""
    found = _RESULT.search(text)
    if found is None:
        raise WrkError(f"wrk said: {text.strip() or 'nothing'}")
    said = json.loads(found[1])
    return Load(
        requests=said["requests"],
        seconds=said["seconds"],
        errors={kind: said[kind] for kind in _ERRORS},
        p50_ms=said["p50_ms"],
        p90_ms=said["p90_ms"],
        p99_ms=said["p99_ms"],
        max_ms=said["max_ms"],
    )
