"""One bug for each safeguard of the protocol, and the safeguards whose loss this simulation cannot show.

What is in Lua or SQL is taken out of the ports in memory; `tests/mutants` takes it out of the scripts themselves.
"""

from __future__ import annotations

from tests.mutants.mutant import Mutant
from tests.simulation.planted_engine import ENGINE_BUGS
from tests.simulation.planted_ports import PORT_BUGS
from tests.simulation.planted_relay import RELAY_BUGS

PLANTED: tuple[Mutant, ...] = (*PORT_BUGS, *ENGINE_BUGS, *RELAY_BUGS)

NOT_SHOWN: dict[str, str] = {
    "everybody gets the lease; every reader of a process asks for it":
        "only the load on PostgreSQL grows: fills are still bound to tokens; tests/scenarios/stampede counts queries",
    "a reader or writer that fails keeps its lease": "readers bypass for the time of a lease: slower, not wrong",
    "what was applied is not noted": "writes wait longer in an outage, within the bound; races R6 and R8c time it",
    "a late grant is accepted": "its heartbeat is dead when it is set: the check only keeps the watermark back",
    "a grant's script does not compare run_ids":
        "a connection ends with its server here, as the protocol demands; shown together with a repeated script",
    "nobody asks whether changes were forgotten": "no run is long enough for changes to be pruned; race R11",
    "a generation that comes back is trusted": "no table is put back here; race R15",
    "heartbeats of another database are trusted": "there is one database; tests/integration/test_shared_redis.py",
    "min-version is not compared": "what a client knows is never unsaid anyway, by the rule that is checked",
}  # fmt: skip
"""Loudly: these are not found, and why."""
