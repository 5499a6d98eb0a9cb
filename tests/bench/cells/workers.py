"""Hits by the number of processes that answer them: workers of one service, and replicas behind a load balancer.

Nothing is pinned here. Where the workers share their cores with wrk and Valkey, hits per second say what such a machine
can do; whether a hit costs more because there are several workers, hits per second of the workers' own time say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from tests.bench.bench import Bench, share_of_hits
from tests.bench.cells.cell import Cell, loads
from tests.bench.contestants import ASIDE
from tests.bench.cores import cpu_seconds, family, undivided
from tests.bench.figures import Found, Load
from tests.bench.ratios import known, ratios
from tests.bench.servers import MissingError, haproxy
from tests.bench.stage import Stage, Target
from tests.bench.wrk import Shape, run_wrk

ONE = "1 worker"


class Served(NamedTuple):
    """``urls``: where the counters are that belong together. ``pids``: of all processes of Aside."""

    target: Target
    urls: list[str]
    pids: list[int]


def measure(bench: Bench) -> Found:
    """All are up all the time; who is not measured is idle."""
    bench.fill((ASIDE,), "item", bench.plan.keys)
    shares: dict[str, list[float]] = {}
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        stack.enter_context(undivided(bench.stage.cores))
        counts = [count for count in bench.plan.workers if count <= max(2, len(bench.stage.cores.all))]
        all_served = [stack.enter_context(_workers(bench.stage, count)) for count in counts]
        if bench.plan.replicas:
            try:
                all_served.append(stack.enter_context(_behind(bench.stage, bench.plan.replicas)))
            except MissingError as error:
                missing["replicas"] = str(error)
        served = {each.target.name: each for each in all_served}
        for each in all_served:
            stack.enter_context(bench.stage.joined_by(each.target))

        def load(target: Target, shape: Shape) -> Load:
            made, share = _load(bench, served[target.name], shape)
            shares.setdefault(target.name, []).append(share)
            return made

        found = bench.compare(tuple(served), lambda target, number: _shape(bench, target, number), measure=load)
    found.left_out |= missing
    found.figures = _figures(found, shares)
    found.facts = {"cores": len(bench.stage.cores.all) or 1, "connections": bench.plan.connections}
    return found


@contextmanager
def _workers(stage: Stage, count: int) -> Iterator[Served]:
    with stage.aside(f"workers-{count}", is_pinned=False, ASIDE_WORKERS=str(count)) as process:
        name = ONE if count == 1 else f"{count} workers"
        yield Served(Target(name, process.url, process.pid), [process.url], family(process.pid))


@contextmanager
def _behind(stage: Stage, count: int) -> Iterator[Served]:
    with ExitStack() as parts:
        replicas = [parts.enter_context(stage.aside(f"behind-{n}", is_pinned=False)) for n in range(count)]
        ports = [replica.port for replica in replicas]
        door = parts.enter_context(haproxy(ports, folder=stage.folder, cores=stage.cores))
        target = Target(f"{count} replicas behind HAProxy", door.url, door.pid)
        pids = [pid for replica in replicas for pid in family(replica.pid)]
        yield Served(target, [replica.url for replica in replicas], pids)


def _shape(bench: Bench, target: Target, number: int) -> Shape:
    return Shape(
        head=target.head.format("item"), keys=bench.plan.keys, place=number, connections=bench.plan.connections
    )


def _load(bench: Bench, served: Served, shape: Shape) -> tuple[Load, float]:
    """With the processor time of all processes together, and the share of it that the busiest one had."""
    url, folder = served.target.url, bench.stage.folder
    run_wrk(url, shape, seconds=bench.plan.warmup_seconds, folder=folder)
    before, used = bench.scraped(*served.urls), _used(served.pids)
    load = run_wrk(url, shape, seconds=bench.plan.seconds, folder=folder)
    spent = [after - then for after, then in zip(_used(served.pids), used, strict=True)]
    hits = share_of_hits(bench.scraped(*served.urls).since(before))
    return load.seen_from_inside(hits=hits, cpu_seconds=sum(spent)), max(spent) / sum(spent)


def _used(pids: Sequence[int]) -> list[float]:
    return [cpu_seconds(pid) or 0.0 for pid in pids]


def _figures(found: Found, shares: dict[str, list[float]]) -> dict[str, list[float]]:
    figures: dict[str, list[float]] = {}
    own = {name: [1e6 / load.cpu_us if load.cpu_us else None for load in found.loads[name]] for name in found.loads}
    for name in found.loads:
        if name != ONE and ONE in found.loads:
            of_all, of_own = ratios(found.rates(name), found.rates(ONE)), ratios(own[name], own[ONE])
            figures[f"{name} ÷ {ONE}: hits per second"] = known(of_all)
            figures[f"{name} ÷ {ONE}: hits per second of their own time"] = known(of_own)
        if name != ONE:
            figures[f"{name}: the busiest one's share of their time"] = shares[name]
    return figures


CELLS = (
    Cell("workers", "hits by the number of processes: 64 connections, 250 B", measure, loads(3)),
)  # fmt: skip
