"""The protocol with all its safeguards, and with one of them taken away; and what every actor relies on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.model.state import LIVE, Key, State

Steps = Iterator[tuple[str, State]]


@dataclass(frozen=True, slots=True)
class Rules:
    """``without`` names a safeguard that is missing; see `runs.py` for what each would cost.

    ``sends_twice``: a reader's lease and fill go out on two connections, and what the first carried may arrive late.
    """

    write_through: bool = False
    early_refresh: bool = False
    restart: bool = True
    sends_twice: bool = False
    without: str = ""


def applied(key: Key, version: int, *, with_body: bool, rules: Rules) -> Key:
    """The one way in which a key learns that a version exists (`entry.lua`)."""
    installed = ("value", version) if with_body else None
    if key is None:
        return installed if rules.without == "nothing is installed onto nothing" else None
    kind, held = key
    if kind == "lease":
        if rules.without == "nothing is installed onto a lease":
            return installed
        return key if rules.without == "a lease carries a floor" else ("lease", max(held, version))
    if held < version or rules.without == "versions are compared":
        return installed
    return key


def fills(state: State, token: int, value: int, rules: Rules) -> bool:
    """Whether a fill is accepted (`fill.lua`)."""
    key = state.key
    if rules.without == "a fill needs its lease":
        return key is None or key[0] == "lease" or key[1] < value
    return bool(token & LIVE) and key is not None and key[0] == "lease" and value >= key[1]


def is_covered(state: State, version: int) -> bool:
    """What the ledger shows: no heartbeat can be alive, or the relay has applied this version."""
    return not state.granted or state.applied >= version


def after_bound(state: State, version: int) -> State:
    """B has passed since this version was committed or loaded.

    What heartbeat still lives was granted by a poll made since; a script of an earlier poll comes too late.
    """
    relay = state.relay
    if relay.at == "polled" and relay.horizon < version:
        relay = relay._replace(late=True)
    return state._replace(heartbeat=state.heartbeat and state.covered >= version, relay=relay)
