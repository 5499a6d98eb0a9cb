"""What an import looks like: a bar over the file's bytes, each bad line, and a summary; or one JSON object."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from service.services.importing import Imported, Refused


class Display:
    """``as_json``: nothing but the object, on stdout. The bar goes to stderr, and only where that is a terminal."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._counts = Counter[str]()
        self._began_at = time.monotonic()
        self._console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
        self._bar = Progress(
            TextColumn("importing"),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[records]:,} records"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=as_json or not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("importing", records=0)

    @property
    def has_refused(self) -> bool:
        return self._counts["refused"] > 0

    @contextmanager
    def showing(self, total_bytes: int | None) -> Iterator[None]:
        """Inside, `note` moves the bar. ``total_bytes`` None: nobody knows."""
        self._bar.update(self._task, total=total_bytes)
        with self._bar:
            yield

    def note(self, imported: Imported, *, at_byte: int) -> None:
        """After each chunk."""
        done = {"created": imported.created, "replaced": imported.replaced, "kept": imported.kept}
        self._counts.update({**done, "refused": len(imported.refused)})
        self._bar.update(self._task, completed=at_byte, records=self._counts.total())
        self.name(imported.refused)

    def name(self, refused: Sequence[Refused], *, at_most: int | None = None) -> None:
        """Each bad record, by its line."""
        for each in refused[:at_most]:
            self._console.print(f"line {each.item.line}: {each.reason}")
        if at_most is not None and len(refused) > at_most:
            self._console.print(f"and {len(refused) - at_most} more of this chunk")

    def tell(self, *, finished: bool, records: int, line: int) -> None:
        """At the end, however it came: what was done, and up to where."""
        seconds = time.monotonic() - self._began_at
        counts = {name: self._counts[name] for name in ("created", "replaced", "kept", "refused")}
        if self._as_json:
            place = {"finished": finished, "records": records, "line": line, "seconds": round(seconds, 3)}
            sys.stdout.write(json.dumps({**counts, **place}) + "\n")
            return
        console = Console(soft_wrap=True, highlight=False)
        rate = self._counts.total() / seconds if seconds else 0.0
        console.print(f"{self._counts.total():,} records in {seconds:,.1f} s, {rate:,.0f} records/s")
        for name, count in counts.items():
            console.print(f"{count:>12,} {name}")
