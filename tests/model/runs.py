"""What is explored: the protocol as it is, in several small worlds; and each safeguard taken away, by name."""

from __future__ import annotations

from dataclasses import dataclass

from tests.model.explore import Scope
from tests.model.rules import Rules


@dataclass(frozen=True, slots=True)
class Run:
    name: str
    rules: Rules
    scope: Scope


SHORT = (
    Run("1 writer, 1 reader, restart", Rules(early_refresh=True), Scope(1, 1)),
    Run("1 write-through, 1 reader, restart", Rules(write_through=True), Scope(1, 1)),
    Run("1 write-through, 1 reader, plain SQL", Rules(write_through=True, restart=False), Scope(1, 1, sql=1)),
    Run("1 writer, 2 readers", Rules(restart=False), Scope(1, 2)),
    Run("2 write-throughs, 1 reader", Rules(write_through=True, restart=False), Scope(2, 1)),
    Run("1 writer, 1 reader that sends twice", Rules(restart=False, sends_twice=True), Scope(1, 1)),
)

FULL = (
    Run("1 write-through, 1 reader, plain SQL, restart", Rules(write_through=True), Scope(1, 1, sql=1)),
    Run("1 writer, 2 readers, early refresh, restart", Rules(early_refresh=True), Scope(1, 2)),
    Run("2 writers, 1 reader, restart", Rules(), Scope(2, 1)),
    Run("2 write-throughs, 1 reader, restart", Rules(write_through=True), Scope(2, 1)),
    Run("1 writer, 3 readers", Rules(restart=False), Scope(1, 3)),
    Run("2 writers, 2 readers", Rules(restart=False), Scope(2, 2)),
    Run("1 write-through, 2 readers, plain SQL", Rules(write_through=True, restart=False), Scope(1, 2, sql=1)),
    Run("1 writer, 1 reader that sends twice, restart", Rules(sends_twice=True), Scope(1, 1)),
    Run("1 writer, 2 readers that send twice", Rules(restart=False, sends_twice=True), Scope(1, 2)),
)


def _without(
    safeguard: str, scope: Scope, *, restart: bool = False, through: bool = False, early: bool = False,
    twice: bool = False,
) -> Run:  # fmt: skip
    rules = Rules(write_through=through, early_refresh=early, restart=restart, sends_twice=twice, without=safeguard)
    return Run(safeguard, rules, scope)


ABLATIONS = (
    _without("a fill needs its lease", Scope(1, 2)),
    _without("each attempt of a lease has its own token", Scope(1, 2), twice=True),
    _without("a lease carries a floor", Scope(1, 2)),
    _without("versions are compared", Scope(2, 1), through=True),
    _without("nothing is installed onto nothing", Scope(2, 1), through=True),
    _without("nothing is installed onto a lease", Scope(1, 3)),
    _without("the lease is taken before the commit", Scope(2, 1), through=True),
    _without("the cache is told after the commit", Scope(1, 2)),
    _without("a lost apply is waited out", Scope(1, 2)),
    _without("a bypass repairs", Scope(1, 3)),
    _without("a refused fill repairs", Scope(1, 3)),
    _without("a lost repair is waited out", Scope(1, 3)),
    _without("the ledger is read with the load, or after it", Scope(1, 3)),
    _without("without a heartbeat the cache is off", Scope(1, 2)),
    _without("a heartbeat names its server", Scope(1, 2), restart=True),
    _without("the relay's script is bound to one server", Scope(1, 2), restart=True),
    _without("the ledger is written before the poll", Scope(1, 2)),
    _without("what is applied is noted after the grant", Scope(1, 2)),
    _without("a refresh compares versions", Scope(2, 2), early=True, through=True),
    _without("a refresh never creates", Scope(1, 3), early=True),
)
