"""One bug for each safeguard of the protocol, and the safeguards whose loss this simulation cannot show.

What is in Lua or SQL is taken out of the ports in memory; `tests/mutants` takes it out of the scripts themselves.
"""

from __future__ import annotations

from tests.mutants.mutant import Mutant
from tests.simulation.planted_engine import ENGINE_BUGS
from tests.simulation.planted_ports import PORT_BUGS
from tests.simulation.planted_relay import RELAY_BUGS
from tests.simulation.themes import SWARM

PLANTED: tuple[Mutant, ...] = (*PORT_BUGS, *ENGINE_BUGS, *RELAY_BUGS)

HUNTED_UNDER: dict[str, str] = {
    "a fill goes under anybody's lease": "short-leases",
    "a fill goes over a value": "short-leases",
    "what a TRUNCATE took away has no version": "late-truths",
    "a reader whose fill was refused does not repair": "short-leases",
    "a carried miss whose fill was refused does not repair": "short-leases",
    "a reader that bypassed does not repair": "short-leases",
    "a carried read without Redis answers all the same": "crossed-cuts",
    "a reader joins a batch that was sent": "slow-answers",
    "a reader joins a query under way": "slow-answers",
    "a write-through takes its lease after the commit": "slow-answers",
    "a lease is asked for again under its token": "late-copies",
    "an apply installs over a lease": "late-applies",
    "an apply installs where nothing is": "late-applies",
    "an early refresh goes over something newer": "refreshes",
    "a refresh creates what is gone": "refreshes",
    "a fill is labelled with the generation of its own moment": "late-fills",
    "a superseded grant is accepted": "late-grants",
    "a heartbeat lives for the bound after its script": "crossed-cuts",
    "a heartbeat's time begins after the poll": "crossed-cuts",
    "a reader that could not repair answers all the same": "crossed-cuts",
    "half of the bound is waited out": "crossed-cuts",
    "a grant is noted after its poll": "outages",
    "a heartbeat of any server will do": "restarts",
    "a lost watermark is taken for the newest": "restarts",
    "a script is sent again on another server's connection, with that server's name": "restarts",
    "an apply counts on any server": "failovers",
    "another server's heartbeat is not waited out": "failovers",
    "the watermark is read from whatever server answers": "failovers",
    "the lock is taken before the session can time out": "vanishing-leaders",
}
"""Bugs for which three or four things must coincide, and the directed theme in which they do; the swarm for all others.
"""

RARE: dict[str, str] = {}
"""Not found reliably within 2,000 seeds, and why. Hunted all the same, said loudly, and no reason to fail."""

NOT_SHOWN: dict[str, str] = {
    "everybody gets the lease; every reader of a process asks for it":
        "only the load on PostgreSQL grows: fills are still bound to tokens; tests/scenarios/stampede counts queries",
    "a reader or writer that fails keeps its lease": "readers bypass for the time of a lease: slower, not wrong",
    "what must finish is cancelled with its client":
        "a write whose client went away is not acknowledged, and the relay carries it within the bound; the lease of "
        "such a reader runs out; the R25 races ask for more",
    "what was applied is not noted": "writes wait longer in an outage, within the bound; races R6 and R8c time it",
    "a late grant is accepted": "its heartbeat is dead when it is set: the check only keeps the watermark back",
    "a grant's script does not compare run_ids":
        "a connection ends with its server here, as the protocol demands; shown together with a repeated script",
    "nobody asks whether changes were forgotten": "no run is long enough for changes to be pruned; race R11",
    "the repair of a row that is not there leaves a lease alone; versions of two generations are compared":
        "what a TRUNCATE took away has a version now, so both matter only where the table is another one; race R15",
    "a generation that comes back is trusted": "no table is put back here; race R15",
    "heartbeats of another database are trusted": "there is one database; tests/integration/test_shared_redis.py",
    "min-version is not compared": "what a client knows is never unsaid anyway, by the rule that is checked",
}  # fmt: skip
"""Loudly: these are not found, and why."""


def theme_of(bug: Mutant) -> str:
    """What it is hunted under."""
    return HUNTED_UNDER.get(bug.name, SWARM)
