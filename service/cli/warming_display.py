"""What a warming looks like: a bar for a terminal and a summary for people, or one JSON object for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from service.services.warming import Place, Tally


class Display:
    """``as_json``: nothing but the object, on stdout. The bar goes to stderr, and only where that is a terminal."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._tally = Tally()
        self._seconds = 0.0
        self._started = 0.0
        self._bar = Progress(
            TextColumn("warming"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} of about {task.total:,.0f} rows"),
            TextColumn("{task.fields[rate]:,.0f} rows/s"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=as_json or not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("warming", start=False, rate=0.0)

    @contextmanager
    def showing(self, about: int) -> Iterator[None]:
        """Inside, `note` moves the bar; at the end, however it comes, the summary is told."""
        self._started = time.monotonic()
        self._bar.update(self._task, total=max(1, about))
        self._bar.start_task(self._task)
        try:
            with self._bar:
                yield
        finally:
            self._tell()

    def note(self, tally: Tally, _: Place | None = None) -> None:
        """What became of all rows so far."""
        self._tally = tally
        self._seconds = time.monotonic() - self._started
        total = max(tally.rows, self._bar.tasks[0].total or 0)
        self._bar.update(self._task, completed=tally.rows, total=total, rate=self._rate)

    @property
    def _rate(self) -> float:
        return self._tally.rows / self._seconds if self._seconds else 0.0

    def _tell(self) -> None:
        seconds = round(self._seconds, 3)
        console = Console(soft_wrap=True, highlight=False)
        if self._as_json:
            console.out(json.dumps({**self._tally._asdict(), "seconds": seconds}))
            return
        console.print(f"{self._tally.rows:,} rows in {seconds:,.1f} s, {self._rate:,.0f} rows/s")
        for count, meaning in (
            (self._tally.installed, "installed"),
            (self._tally.present, "there already"),
            (self._tally.busy, "skipped: somebody else is loading them"),
            (self._tally.refused, "refused: changed meanwhile"),
            (self._tally.absent, "gone: cached as absent"),
        ):
            console.print(f"{count:>12,} {meaning}")
