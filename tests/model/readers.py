"""The steps of a reader, and of one that was drawn to refresh early (`engine`, `missing`, `refreshing`)."""

from __future__ import annotations

from tests.model.rules import Rules, Steps, after_bound, applied, fills, is_covered
from tests.model.state import FILL_COPY, LEASE_COPY, LIVE, Reader, State, ended, with_key, with_reader


def begins(state: State, index: int, reader: Reader, rules: Rules) -> Steps:
    """READ and MISS. The lease script looks again, so that both are one step."""
    if reader.at != "idle":
        return
    least = state.floor
    if not state.heartbeat and rules.without != "without a heartbeat the cache is off":
        yield "r: cache is off", with_reader(state, index, Reader("bypassing", least))
    elif state.key is None:
        leased = with_key(state, ("lease", 0))
        copies = LEASE_COPY if rules.sends_twice else 0
        yield "r: miss, takes lease", with_reader(leased, index, Reader("leased", least, LIVE, copies=copies))
    elif state.key[0] == "lease":
        yield "r: lease is busy", with_reader(state, index, Reader("bypassing", least))
    else:
        version = state.key[1]
        yield f"r: hit v{version}", with_reader(state, index, Reader("answering", least, value=version))
        if rules.early_refresh:
            yield f"r: hit v{version}, refreshes early", with_reader(state, index, Reader("refreshing"))


def loads_under_lease(state: State, index: int, reader: Reader, _rules: Rules) -> Steps:
    if reader.at == "leased":
        loaded = reader._replace(at="loaded", value=state.committed)
        yield f"r: loads v{state.committed} under lease", with_reader(state, index, loaded)


def stores(state: State, index: int, reader: Reader, rules: Rules) -> Steps:
    """FILL: accepted; or refused, or lost, which the reader treats alike."""
    if reader.at != "loaded":
        return
    value = reader.value
    sent = Reader("answering", reader.least, value=value)
    if rules.sends_twice:
        sent = reader._replace(at="answering", copies=reader.copies | FILL_COPY)
    if fills(state, reader.token, value, rules):
        stored = sent._replace(token=sent.token & ~LIVE)
        yield f"r: fills v{value}", with_reader(with_key(state, ("value", value)), index, stored)
    at = "answering" if rules.without == "a refused fill repairs" else "repairing"
    yield f"r: fill of v{value} refused or lost", with_reader(state, index, sent._replace(at=at))


def loads_around(state: State, index: int, reader: Reader, rules: Rules) -> Steps:
    """BYPASS. With Redis out of reach the row comes with what the ledger says of it, in one snapshot."""
    value = state.committed
    if reader.at == "bypassing":
        at = "answering" if rules.without == "a bypass repairs" else "repairing"
        yield f"r: loads v{value}", with_reader(state, index, Reader(at, reader.least, value=value))
        if is_covered(state, value):
            sure = Reader("answering", reader.least, value=value)
            yield f"r: loads v{value}, which the ledger covers", with_reader(state, index, sure)
        if rules.without == "the ledger is read with the load, or after it" and not state.granted:
            assured = Reader("assured", reader.least)
            yield "r: the ledger shows that no heartbeat can be alive", with_reader(state, index, assured)
    elif reader.at == "assured":
        yield f"r: loads v{value}", with_reader(state, index, Reader("answering", reader.least, value=value))


def repairs(state: State, index: int, reader: Reader, rules: Rules) -> Steps:
    """With its body. Without, the key would be dropped: that is this step and then an eviction, which may follow it."""
    if reader.at == "repairing":
        told = with_key(state, applied(state.key, reader.value, with_body=True, rules=rules))
        answering = reader._replace(at="answering")
        yield f"r: repairs with v{reader.value}", with_reader(told, index, answering)


def loses_its_repair(state: State, index: int, reader: Reader, rules: Rules) -> Steps:
    """Its own link to Redis is cut: it may answer once no cache that others trust can hold anything older."""
    if reader.at != "repairing":
        return
    value, answering = reader.value, reader._replace(at="answering")
    if rules.without == "a lost repair is waited out":
        yield f"r: repair with v{value} is lost, answers", with_reader(state, index, answering)
    if is_covered(state, value):
        yield f"r: repair is lost, the ledger covers v{value}", with_reader(state, index, answering)
    waited = after_bound(state, value)
    yield f"r: repair is lost, waits out B after v{value}", with_reader(waited, index, answering)


def answers(state: State, index: int, reader: Reader, _rules: Rules) -> Steps:
    if reader.at == "answering":
        known = state._replace(floor=max(state.floor, reader.value))
        yield f"r: answers v{reader.value}", with_reader(known, index, ended(reader))


def refreshes(state: State, index: int, reader: Reader, rules: Rules) -> Steps:
    """REFRESH: replaces what is older, never creates."""
    if reader.at == "refreshing":
        loaded = Reader("renewing", value=state.committed)
        yield f"refresh: loads v{state.committed}", with_reader(state, index, loaded)
    elif reader.at == "renewing":
        value = reader.value
        kind = "" if state.key is None else state.key[0]
        blindly = {"a refresh compares versions": "value", "a refresh never creates": ""}
        is_blind = rules.without in blindly and kind == blindly[rules.without]
        key = ("value", value) if is_blind else applied(state.key, value, with_body=True, rules=rules)
        renewed = with_key(state, key)
        yield f"refresh: tells v{value}", with_reader(renewed, index, Reader("done"))


STEPS = (
    begins, loads_under_lease, stores, loads_around, repairs, loses_its_repair, answers, refreshes,
)  # fmt: skip
