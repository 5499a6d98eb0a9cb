"""What TLS and a Redis user of few rights cost: the same servers once in the clear, once as in production."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from service.db.migrations import upgrade
from tests.bench.bench import Bench
from tests.bench.cells.cell import Cell, loads
from tests.bench.cells.writes import put_of
from tests.bench.figures import Found, Load
from tests.bench.ratios import known, ratios
from tests.bench.rows import seed
from tests.bench.stage import POSTGRES, Target
from tests.bench.wrk import Shape
from tests.support.encrypted import EncryptedServers, NotInstalledError, encrypted_servers

CLEAR, TLS = "in the clear", "TLS"
HITS, MISSES, WRITES = "hits", "misses", "writes"
KINDS, WAYS = (HITS, MISSES, WRITES), (CLEAR, TLS)
_MOST_ROWS = 200_000


def measure(bench: Bench) -> Found:
    """On Debian's servers, which can do both. The two services share them, and have the core of servers by turns."""
    rows = min(bench.plan.rows, _MOST_ROWS)
    try:
        with ExitStack() as stack:
            servers = stack.enter_context(encrypted_servers(is_plain_too=True, is_durable=True, settings=POSTGRES))
            upgrade(servers.plain["DATABASE_URL"])
            seed(servers.plain["DATABASE_URL"], replace(bench.plan, rows=rows))
            _enter_targets(bench, servers, stack)
            found = _compare(bench, rows)
    except NotInstalledError as error:
        return Found(left_out={"all": str(error)})
    found.facts = {"written_keys": bench.plan.written_keys}
    for kind in KINDS:
        clear, tls = (f"{kind}, {way}" for way in WAYS)
        found.figures[f"{TLS} ÷ {CLEAR}: {kind} per second"] = known(ratios(found.rates(tls), found.rates(clear)))
        found.figures[f"{TLS} ÷ {CLEAR}: CPU of {kind}"] = known(ratios(found.cpus(tls), found.cpus(clear)))
    return found


def _enter_targets(bench: Bench, servers: EncryptedServers, stack: ExitStack) -> None:
    """Two services, each of them a target for each kind of load."""
    for way, addresses in {CLEAR: servers.plain, TLS: servers.verified}.items():
        process = stack.enter_context(bench.stage.aside(f"encrypted-{way.split()[-1]}", **addresses))
        for kind in KINDS:
            target = Target(f"{kind}, {way}", process.url, process.pid, counts=kind != WRITES)
            stack.enter_context(bench.stage.joined_by(target))


def _compare(bench: Bench, rows: int) -> Found:
    names = [f"{kind}, {way}" for kind in KINDS for way in WAYS]
    part = rows // (bench.plan.rounds * len(WAYS))
    """Of the rows, for one load of misses: what one service has loaded is a hit for the other."""

    def shape_of(target: Target, number: int) -> Shape:
        head, connections = target.head.format("item"), bench.plan.connections
        if target.name.startswith(WRITES):
            return put_of(bench, target, number)
        if target.name.startswith(HITS):
            return Shape(head=head, keys=bench.plan.keys, place=number, connections=connections)
        place = (number * len(WAYS) + target.name.endswith(TLS)) * part
        return Shape(head=head, choice="sequence", keys=rows, place=place, connections=connections)

    def load(target: Target, shape: Shape) -> Load:
        return bench.load(target, shape, warmed_up_with=shape.moved(part // 2) if shape.choice == "sequence" else None)

    return bench.compare(names, shape_of, measure=load)


CELLS = (
    Cell("encrypted", "hits, misses and writes through TLS: 64 connections, 250 B", measure,
         loads(len(KINDS) * len(WAYS))),
)  # fmt: skip
