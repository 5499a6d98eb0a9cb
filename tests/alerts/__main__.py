"""`python -m tests.alerts`: every alert fires for a real failure, and ends; prints when. Ends with 1 if one did not."""

from __future__ import annotations

import asyncio
import sys
import time

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from service.embedded import private_postgres
from tests.alerts.cycle import FAILURES, Seen, opened, run
from tests.alerts.rules import rules_as_written
from tests.support.databases import DatabaseMint

_FACTOR = 30.0
"""By more, Redis's memory would be asked for less often than the windows are long."""
_CALM_SECONDS = 12.0
"""Longer than the longest window that an alert compares with."""


async def cycle(console: Console) -> tuple[list[Seen], set[str]]:
    """What was seen, and the names of the alerts that were not."""
    began = time.monotonic()

    def tell(what: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f} s  {what}", highlight=False)

    with private_postgres() as server:
        async with opened(FAILURES, DatabaseMint(server), factor=_FACTOR, tell=tell) as stage:
            seen = await run(stage, FAILURES, calm_seconds=_CALM_SECONDS)
    names = {rule.name for rule in await rules_as_written() if rule.is_alert}
    return seen, names - {each.alert for each in seen}


def main() -> int:
    console = Console()
    console.print(f"Every duration of the rules is {_FACTOR:g} times shorter here. Starting servers …")
    seen, missing = asyncio.run(cycle(console))
    table = Table(
        "alert", "failure", "fired", "ended", title="Seconds after the failure, and after its end", box=SIMPLE
    )
    for each in sorted(seen, key=lambda each: each.alert):
        table.add_row(each.alert, each.failure, f"{each.fired_after:.1f}", f"{each.ended_after:.1f}")
    console.print(table)
    if missing:
        console.print(f"never seen: {', '.join(sorted(missing))}", style="red")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
