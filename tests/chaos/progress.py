"""How a campaign goes, while it goes: a table on a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import asyncio
import resource
from collections import Counter

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tests.chaos.campaign import Campaign


async def show(campaign: Campaign, console: Console, *, planned: int) -> None:
    """For ever."""
    last_checked, last_at = 0, 0.0
    if not console.is_terminal:
        while True:
            await asyncio.sleep(10)
            rate = (campaign.checked - last_checked) / max(0.01, campaign.elapsed - last_at)
            last_checked, last_at = campaign.checked, campaign.elapsed
            console.print(_line(campaign, rate, planned), soft_wrap=True, highlight=False)
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        rate = 0.0
        while True:
            await asyncio.sleep(0.5)
            now = campaign.elapsed
            rate = 0.8 * rate + 0.2 * (campaign.checked - last_checked) / max(0.01, now - last_at)
            last_checked, last_at = campaign.checked, now
            live.update(_table(campaign, rate, planned))


def _line(campaign: Campaign, rate: float, planned: int) -> str:
    broken = ", ".join(campaign.active()) or "nothing"
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return (
        f"{campaign.elapsed:6.0f} s  {campaign.checked:>9,} checked  {rate:6,.0f}/s  "
        f"{len(campaign.episodes)}/{planned} faults  {_violations(campaign)} violations  "
        f"{sum(campaign.tally.errors.values()):,} errors  {memory} MB  broken: {broken}"
    )


def _table(campaign: Campaign, rate: float, planned: int) -> Group:
    table = Table.grid(padding=(0, 2))
    outcomes = campaign.tally.outcomes
    total = max(1, sum(outcomes.values()))
    rows = {
        "time": f"{campaign.elapsed:,.0f} s",
        "checked operations": f"{campaign.checked:,}  ({rate:,.0f}/s)",
        "faults": f"{len(campaign.episodes)} of {planned}",
        "violations": str(_violations(campaign)),
        "answers": ", ".join(f"{name or 'errors'} {count / total:.1%}" for name, count in outcomes.most_common(5)),
        "errors": ", ".join(f"{count:,} {kind}" for kind, count in Counter(campaign.tally.errors).most_common(4))
        or "0",
        "cancelled": f"{sum(campaign.tally.cancelled.values()):,}",
        "broken right now": ", ".join(campaign.active()) or "nothing",
    }
    for name, value in rows.items():
        style = "bold red" if name == "violations" and value != "0" else ""
        table.add_row(Text(name, style="dim"), Text(value, style=style))
    return Group(table)


def _violations(campaign: Campaign) -> int:
    return len(campaign.checker.violations) + len(campaign.tally.violations)
