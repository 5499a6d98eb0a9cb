"""The steps of everything else: the relay, the ledger, Redis itself, and whoever writes plain SQL."""

from __future__ import annotations

from tests.model.rules import Rules, Steps, applied
from tests.model.state import LIVE, SAVED, Relay, State, with_key


def relay_notes(state: State, rules: Rules) -> Steps:
    """T0 and the server's name, then the ledger, committed. Only where there is something to tell or to renew."""
    if state.relay.at == "idle" and (not state.heartbeat or state.covered < state.committed):
        granted = state.granted or rules.without != "the ledger is written before the poll"
        yield "relay: notes a grant", state._replace(granted=granted, relay=Relay("noted", 0, state.restarts))


def relay_polls(state: State, rules: Rules) -> Steps:
    if state.relay.at == "noted":
        horizon = state.committed
        noted = state
        if rules.without == "what is applied is noted after the grant":
            noted = state._replace(applied=max(state.applied, horizon))
        yield f"relay: polls v{horizon}", noted._replace(relay=state.relay._replace(at="polled", horizon=horizon))


def relay_tells(state: State, rules: Rules) -> Steps:
    """One script, refused by a server other than the one of T0: apply, watermark, heartbeat (`grant.lua`)."""
    relay = state.relay
    if relay.at != "polled":
        return
    if relay.restarts != state.restarts and rules.without != "the relay's script is bound to one server":
        yield "relay: refused, the server was restarted", state._replace(relay=Relay())
        return
    key = state.key
    if relay.horizon > state.watermark:
        key = applied(key, relay.horizon, with_body=False, rules=rules)
    told = with_key(state, key)
    if relay.late:
        yield f"relay: tells v{relay.horizon}, too late to grant", told._replace(relay=Relay())
    else:
        yield (
            f"relay: tells v{relay.horizon} and grants",
            told._replace(
                watermark=max(state.watermark, relay.horizon),
                covered=max(state.covered, relay.horizon) if state.heartbeat else relay.horizon,
                heartbeat=True,
                granted=True,
                relay=Relay("granted", relay.horizon),
            ),
        )


def relay_notes_what_it_applied(state: State, _rules: Rules) -> Steps:
    if state.relay.at == "granted":
        applied_now = max(state.applied, state.relay.horizon)
        yield f"relay: notes v{applied_now} as applied", state._replace(applied=applied_now, relay=Relay())


def relay_dies(state: State, _rules: Rules) -> Steps:
    if state.relay.at in ("noted", "granted"):
        yield "relay: dies", state._replace(relay=Relay())


def heartbeat_expires(state: State, _rules: Rules) -> Steps:
    if state.heartbeat:
        yield "the heartbeat expires", state._replace(heartbeat=False)


def ledger_expires(state: State, _rules: Rules) -> Steps:
    """It reaches beyond each heartbeat that it covers: a grant still under way comes too late."""
    if state.granted and not state.heartbeat:
        relay = state.relay if state.relay.at in ("idle", "granted") else state.relay._replace(late=True)
        yield "the ledger's grant expires", state._replace(granted=False, relay=relay)


def redis_evicts(state: State, _rules: Rules) -> Steps:
    if state.key is not None:
        yield "Redis evicts the key", with_key(state, None)


def redis_saves(state: State, rules: Rules) -> Steps:
    """A snapshot, at any moment; the tokens of the leases in it may come back to life."""
    if rules.restart and state.snapshot is None and state.restarts == 0:
        yield (
            "Redis saves a snapshot",
            state._replace(
                snapshot=(state.key, state.watermark),
                writers=tuple(w._replace(token=w.token | SAVED) if w.token & LIVE else w for w in state.writers),
                readers=tuple(r._replace(token=r.token | SAVED) if r.token & LIVE else r for r in state.readers),
            ),
        )


def redis_restarts(state: State, rules: Rules) -> Steps:
    if state.snapshot is None:
        return
    key, watermark = state.snapshot
    yield (
        "Redis restarts from its snapshot",
        state._replace(
            key=key,
            watermark=watermark,
            snapshot=None,
            restarts=1,
            heartbeat=state.heartbeat and rules.without == "a heartbeat names its server",
            writers=tuple(w._replace(token=LIVE if w.token & SAVED else 0) for w in state.writers),
            readers=tuple(r._replace(token=LIVE if r.token & SAVED else 0) for r in state.readers),
        ),
    )


def plain_sql_commits(state: State, _rules: Rules) -> Steps:
    if state.sql_left:
        version = state.committed + 1
        yield f"plain SQL commits v{version}", state._replace(committed=version, sql_left=state.sql_left - 1)


STEPS = (
    relay_notes, relay_polls, relay_tells, relay_notes_what_it_applied, relay_dies, heartbeat_expires, ledger_expires,
    redis_evicts, redis_saves, redis_restarts, plain_sql_commits,
)  # fmt: skip
