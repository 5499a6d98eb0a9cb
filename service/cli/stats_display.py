"""What `aside stats` looks like: a table for a terminal, a line for a log. Pure: answers in, texts out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

OUTCOMES = ("hit", "negative_hit", "miss", "stale", "bypass", "off")
_FROM_CACHE = ("hit", "negative_hit")
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """Of one entity type, or of all: reads per second by outcome; ratios are None where nothing was asked."""

    name: str
    rates: Mapping[str, float]
    ratio_now: float | None
    ratio_minute: float | None
    ratio_quarter: float | None
    ratio_start: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """``now_seconds``: of how long a time the rates and the ratio now are; None: of the last minute."""

    now_seconds: float | None
    rows: list[Row]
    cache: str
    redis: str
    warning: str | None
    audit: str
    is_well: bool


def figures_of(answer: Mapping[str, Any], *, before: Mapping[str, Any] | None = None, seconds: float = 0.0) -> Figures:
    """Rates are those since ``before``, an answer ``seconds`` ago; without one, those of the last minute.

    Counters that went back belong to another process, and rates to the last minute as well.
    """
    spans = {"all": answer["requests"]["all"], **answer["requests"]["entity_types"]}
    earlier = {} if before is None else {"all": before["requests"]["all"], **before["requests"]["entity_types"]}
    if any(_went_back(spans[name], earlier[name]) for name in spans.keys() & earlier.keys()):
        earlier = {}
    rows = [_row(name, of, earlier.get(name), seconds) for name, of in spans.items()]
    audit, cache = answer["audit"], answer["cache"]
    return Figures(
        now_seconds=seconds if earlier else None,
        rows=rows,
        cache=_words_of_cache(cache),
        redis=_words_of_redis(answer["redis"]),
        warning=answer["redis"]["warning"],
        audit=f"{audit['statement']} ({audit['state']})",
        is_well=bool(cache["on"]) and not audit["stale"],
    )


def _went_back(now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    return any(now["since_start"][outcome] < before["since_start"][outcome] for outcome in OUTCOMES)


def _row(name: str, of: Mapping[str, Any], before: Mapping[str, Any] | None, seconds: float) -> Row:
    minute, start = of["last_minute"], of["since_start"]
    if before is None:
        added, seconds = minute, minute["covers_seconds"]
    else:
        added = {outcome: start[outcome] - before["since_start"][outcome] for outcome in OUTCOMES}
    answered = sum(added[outcome] for outcome in OUTCOMES)
    return Row(
        name=name,
        rates={outcome: added[outcome] / seconds if seconds > 0 else 0.0 for outcome in OUTCOMES},
        ratio_now=sum(added[outcome] for outcome in _FROM_CACHE) / answered if answered else None,
        ratio_minute=minute["hit_ratio"],
        ratio_quarter=of["last_15_minutes"]["hit_ratio"],
        ratio_start=start["hit_ratio"],
    )


def _words_of_cache(cache: Mapping[str, Any]) -> str:
    age = cache["heartbeat_age_seconds"]
    heartbeat = "no heartbeat" if age is None else f"heartbeat {age:.2f} s old"
    state = "on" if cache["on"] else cache["state"]
    return f"{state}, for {span(cache['since_seconds'])}; {heartbeat}; relay {cache['relay']}"


def _words_of_redis(redis: Mapping[str, Any]) -> str:
    if not redis["reachable"]:
        return "cannot be reached"
    limit = redis["limit_bytes"]
    of = f"{limit / _MEBIBYTE:,.1f} MiB" if limit else "no limit"
    return (
        f"{redis['used_bytes'] / _MEBIBYTE:,.1f} MiB of {of}; {redis['policy']}; {redis['evicted_keys']:,} keys evicted"
    )


def picture_of(figures: Figures, *, fault: str | None = None) -> RenderableType:
    """``fault``: why there is nothing newer than these."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("reads")
    is_live = figures.now_seconds is not None
    for title in (*(["now"] if is_live else []), "1 min", "15 min", "start"):
        table.add_column(title, justify="right")
    for outcome in OUTCOMES:
        table.add_column(f"{outcome.replace('_hit', '')}/s", justify="right")
    for row in figures.rows:
        ratios = (*([row.ratio_now] if is_live else []), row.ratio_minute, row.ratio_quarter, row.ratio_start)
        rates = (_rate(row.rates[outcome]) for outcome in OUTCOMES)
        table.add_row(escape(row.name), *map(_ratio, ratios), *rates, style="bold" if row.name == "all" else "")
    lines = [f"cache  {figures.cache}", f"redis  {figures.redis}", f"audit  {figures.audit}"]
    colour = "green" if figures.is_well else "red"
    head = [Text(line, style=colour if line.startswith("cache") else "") for line in lines]
    if figures.warning is not None:
        head.insert(2, Text(f"       {figures.warning}", style="yellow"))
    if fault is not None:
        head.append(Text(f"no answer: {fault}", style="bold red"))
    of = f"{figures.now_seconds:.1f} s" if figures.now_seconds is not None else "minute"
    return Group(*head, Text(f"\nhit ratios; answers per second in the last {of}"), table)


def line_of(figures: Figures) -> str:
    """All reads together, where nobody draws."""
    row = figures.rows[0]
    rates = "  ".join(f"{outcome} {_rate(row.rates[outcome])}/s" for outcome in OUTCOMES)
    return f"hit ratio {_ratio(row.ratio_now)}  {rates}  cache {figures.cache}"


def _ratio(ratio: float | None) -> str:
    return "–" if ratio is None else f"{ratio:.2%}"


def _rate(rate: float) -> str:
    return "–" if rate == 0 else f"{rate:,.1f}" if rate < 100 else f"{rate:,.0f}"


def span(seconds: float) -> str:
    """A time for people: in its largest unit of which there are two or more."""
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:,.1f} s"
