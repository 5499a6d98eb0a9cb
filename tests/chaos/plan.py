"""Which fault comes when, where, and for how long: a pure function of the seed."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

REPLICAS = 3
_GAP_SECONDS = 0.3
"""Between two faults of one group: so much rest for what was healed."""


@dataclass(frozen=True, slots=True)
class Fault:
    """``at`` seconds after the start; healed ``seconds`` later. ``target`` is "" where there is only one."""

    at: float
    kind: str
    target: str
    seconds: float

    @property
    def name(self) -> str:
        return f"{self.kind} {self.target}".strip()


@dataclass(frozen=True, slots=True)
class Form:
    """How a kind of fault is drawn. Two faults of one ``group`` (and target) never overlap: it is what they act on."""

    kind: str
    weight: float
    targets: Sequence[str]
    shortest: float
    longest: float
    group: str

    def group_of(self, target: str) -> str:
        return f"{self.group}:{target}" if self.group in ("replica", "link") else self.group


_REPLICAS: Final = [f"replica-{number}" for number in range(REPLICAS)]
_REDIS_LINKS: Final = [f"redis-{number}" for number in range(REPLICAS)]
_POSTGRES_LINKS: Final = [f"postgres-{number}" for number in range(REPLICAS)]
_LINKS: Final = [*_REDIS_LINKS, *_REDIS_LINKS, *_POSTGRES_LINKS]
_ONE: Final = ("",)

FORMS: Final[Sequence[Form]] = (
    Form("kill replica", 2.5, _REPLICAS, 0.1, 3, "replica"),
    Form("freeze replica", 5, _REPLICAS, 0.1, 8, "replica"),
    Form("rolling restart", 0.4, _ONE, 0.1, 0.5, "rolling"),
    Form("kill redis", 4, _ONE, 0.1, 6, "redis"),
    Form("freeze redis", 6, _ONE, 0.1, 10, "redis"),
    Form("redis restarted from an older snapshot", 4, _ONE, 0.1, 3, "redis"),
    Form("kill postgres", 3, _ONE, 0.1, 4, "postgres"),
    Form("freeze postgres", 4, _ONE, 0.1, 6, "postgres"),
    Form("postgres disk full", 1.5, _ONE, 0.5, 4, "postgres"),
    Form("redis disk full", 1.5, _ONE, 1, 5, "redis"),
    Form("cut link", 10, _LINKS, 0.1, 15, "link"),
    Form("blackhole link", 6, _LINKS, 0.1, 8, "link"),
    Form("mute link", 6, _LINKS, 0.1, 6, "link"),
    Form("stall link", 8, _LINKS, 0.1, 8, "link"),
    Form("delay link", 6, _LINKS, 0.2, 15, "link"),
    Form("throttle link", 4, _LINKS, 0.2, 10, "link"),
    Form("tear link", 6, _LINKS, 0.2, 6, "link"),
    Form("reset link", 4, _LINKS, 0.1, 0.1, "link"),
    Form("flushall", 3, _ONE, 0.1, 0.1, "redis data"),
    Form("script flush", 2, _ONE, 0.1, 0.1, "redis data"),
    Form("eviction storm", 4, ("allkeys-lfu", "allkeys-lru"), 0.5, 8, "redis memory"),
    Form("redis out of memory", 3, _ONE, 0.5, 6, "redis memory"),
    Form("kill redis clients", 3, _ONE, 0.1, 0.1, "redis data"),
    Form("terminate backends", 5, ("all", "some", "relay"), 0.1, 0.1, "backends"),
    Form("truncate", 2, _ONE, 0.1, 0.1, "truncate"),
    Form("long transaction", 4, _ONE, 1, 15, "long transaction"),
)
FAILOVERS: Final[Sequence[Form]] = (
    Form("kill primary", 6, _ONE, 4, 12, "redis"),
    Form("sentinel failover", 6, _ONE, 2, 6, "redis"),
)
SINGLE_SERVER_ONLY: Final = frozenset({
    "kill redis", "redis restarted from an older snapshot", "redis disk full",
})  # fmt: skip
"""Where Sentinel rules, these would be failovers, and are drawn as such."""


def plan(seed: int, *, seconds: float, every_seconds: float = 2.6, forms: Sequence[Form] = FORMS) -> list[Fault]:
    """Faults in the order of their begin, the last one healed at the end. Every kind comes before any comes twice."""
    chance = random.Random(seed)
    free_at: dict[str, float] = {}
    faults: list[Fault] = []
    fresh: list[Form] = []
    at = every_seconds
    while at < seconds:
        if not fresh and len(faults) < len(forms):
            fresh = chance.sample(list(forms), len(forms))
        form = fresh.pop() if fresh else chance.choices(forms, [form.weight for form in forms])[0]
        target = chance.choice(form.targets)
        duration = round(_duration(chance, form), 2)
        group = form.group_of(target)
        begins = max(at, free_at.get(group, 0.0))
        if form.kind == "rolling restart":
            begins = max([begins, *(free_at.get(f"replica:{name}", 0.0) for name in _REPLICAS)])
            for name in _REPLICAS:
                free_at[f"replica:{name}"] = begins + duration + 8
        if begins + duration < seconds:
            free_at[group] = begins + duration + _GAP_SECONDS
            faults.append(Fault(round(begins, 2), form.kind, target, duration))
        at += chance.expovariate(1 / every_seconds)
    return sorted(faults, key=lambda fault: fault.at)


def groups_of(fault: Fault) -> list[str]:
    """What it acts on, in the order in which to wait for it."""
    if fault.kind == "rolling restart":
        return [f"replica:{name}" for name in _REPLICAS]
    form = next(form for form in (*FORMS, *FAILOVERS) if form.kind == fault.kind)
    return [form.group_of(fault.target)]


def forms_of(leg: str) -> list[Form]:
    """The kinds that make sense on a leg: `valkey`, `redis`, `sentinel`."""
    if leg != "sentinel":
        return list(FORMS)
    return [*(form for form in FORMS if form.kind not in SINGLE_SERVER_ONLY), *FAILOVERS]


def only(forms: Iterable[Form], kinds: Iterable[str]) -> list[Form]:
    wanted = set(kinds)
    return [form for form in forms if form.kind in wanted]


def _duration(chance: random.Random, form: Form) -> float:
    """Mostly short: half of them below a fifth of the way; one in forty is three times the longest, up to 30 s."""
    if form.longest <= form.shortest:
        return form.shortest
    if chance.random() < 0.025:
        return min(30.0, 3 * form.longest)
    return form.shortest + (form.longest - form.shortest) * chance.random() ** 2.5
