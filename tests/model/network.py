"""The steps of messages that were sent twice, as their connection broke: the first copy arrives later, or never."""

from __future__ import annotations

from tests.model.rules import Rules, Steps, fills
from tests.model.state import FILL_COPY, LEASE_COPY, LIVE, NO_TOKEN, Reader, State, ended, with_key, with_reader


def lease_arrives_late(state: State, rules: Rules) -> Steps:
    """Under a token of its own, that nobody fills under; or, without that, once more under its reader's."""
    for index, reader in enumerate(state.readers):
        if reader.copies & LEASE_COPY:
            arrived = _without(LEASE_COPY, reader)
            if state.heartbeat and state.key is None:
                leased = with_key(state, ("lease", 0))
                if rules.without == "each attempt of a lease has its own token":
                    arrived = arrived._replace(token=arrived.token | LIVE)
                yield "network: late lease, granted", with_reader(leased, index, arrived)
            else:
                yield "network: late lease, to no effect", with_reader(state, index, arrived)


def fill_arrives_late(state: State, rules: Rules) -> Steps:
    for index, reader in enumerate(state.readers):
        if reader.copies & FILL_COPY:
            arrived = _without(FILL_COPY, reader)
            if fills(state, reader.token, reader.value, rules):
                filled, arrived = with_key(state, ("value", reader.value)), arrived._replace(token=NO_TOKEN)
                yield f"network: late fill of v{reader.value}, stored", with_reader(filled, index, arrived)
            else:
                yield f"network: late fill of v{reader.value}, refused", with_reader(state, index, arrived)


def _without(copy: int, reader: Reader) -> Reader:
    left = reader._replace(copies=reader.copies & ~copy)
    return ended(left) if left.at == "done" else left


STEPS = (lease_arrives_late, fill_arrives_late)
