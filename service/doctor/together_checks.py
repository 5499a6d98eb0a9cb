"""What is said of both servers together: whose the heartbeat is, who leads, how the clocks are. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from service.doctor.facts import Clock, Heartbeat, History, Leadership, PostgresFacts, RedisFacts, Watermark
from service.doctor.finding import Finding, Unseen, fail, judged, ok, warn
from service.settings import Settings

_FAR_SECONDS = 60.0


def judge_leadership(facts: PostgresFacts, settings: Settings) -> Iterator[Finding]:
    """The relay, as PostgreSQL sees it."""
    if facts.schema is not None:
        yield from judged("generation", facts.schema.history, _judge_history)
        yield from judged("leader", facts.schema.leadership, partial(_judge_leader, settings=settings))


def _judge_history(history: History) -> Iterator[Finding]:
    yield ok("generation", f"versions belong to history {history.generation}")


def _judge_leader(leadership: Leadership, *, settings: Settings) -> Iterator[Finding]:
    if leadership.leader is None:
        yield warn(
            "leader",
            "no replica leads, so nobody vouches for the cache",
            "start a service. If one runs: its log says why (relay_…), and /readyz",
        )
    else:
        yield ok("leader", f"{leadership.leader} leads")
    granted, bound = leadership.granted_seconds, leadership.bound_seconds
    if granted > 0:
        yield ok("ledger", f"a heartbeat may be alive for another {granted:.1f} s")
    else:
        yield ok("ledger", "no heartbeat can be alive now")
    if bound and bound != settings.bound_seconds:
        yield fail(
            "bound",
            f"the leader has B = {bound:g} s, and here ASIDE_BOUND_SECONDS is {settings.bound_seconds:g}",
            "set the same on every replica: a writer waits B for heartbeats that live for the leader's",
        )


def judge_heartbeat(redis: RedisFacts, postgresql: PostgresFacts | None, settings: Settings) -> Iterator[Finding]:
    """The heartbeat and the watermark, against the history of PostgreSQL, as far as that is known."""
    schema = postgresql.schema if postgresql is not None else None
    history = schema.history if schema is not None else None
    run_id = redis.info.get("run_id") if not isinstance(redis.info, Unseen) else None
    known = None if history is None or isinstance(history, Unseen) else history.generation
    judge = partial(_judge_heartbeat, run_id=run_id, generation=known, bound_seconds=settings.bound_seconds)
    yield from judged("heartbeat", redis.heartbeat, judge)
    yield from judged("watermark", redis.watermark, partial(_judge_watermark, generation=known))


def _judge_heartbeat(
    heartbeat: Heartbeat | None, *, run_id: str | None, generation: str | None, bound_seconds: float
) -> Iterator[Finding]:
    if heartbeat is None:
        yield warn(
            "heartbeat",
            "there is none: the cache is off, and every read goes to PostgreSQL",
            "see that a service runs on these two servers, and leads",
        )
        return
    age = bound_seconds - heartbeat.left_ms / 1000
    if generation is not None and _history_of(heartbeat.generation) != _history_of(generation):
        yield fail(
            "heartbeat",
            f"it is of history {heartbeat.generation}, and PostgreSQL's is {generation}: another database's service "
            "uses this Redis",
            "give each database a Redis, or a database number of Redis, of its own",
        )
    elif run_id is not None and heartbeat.run_id != run_id:
        yield warn(
            "heartbeat",
            "it names another server than the one that answers: a snapshot, or a failover, brought it along",
            "wait for B, then look again. If it stays: does a proxy exchange the servers behind it?",
        )
    else:
        yield ok("heartbeat", f"it is {max(0.0, age):.2f} s old, and vouches for history {heartbeat.generation}")


def _judge_watermark(watermark: Watermark | None, *, generation: str | None) -> Iterator[Finding]:
    if watermark is None:
        yield ok("watermark", "there is none: the first leader gives up whatever is cached, and begins anew")
    elif generation is not None and watermark.generation != generation:
        yield ok("watermark", f"it is of {watermark.generation}: nothing of that is used any more")
    else:
        yield ok("watermark", f"what snapshot {_short(watermark.horizon)} has seen was applied")


def _history_of(generation: str) -> str:
    return generation.partition(".")[0]


def _short(horizon: str) -> str:
    xmin, xmax, _ = horizon.split(":", 2)
    return f"{xmin}:{xmax}"


def judge_clocks(clocks: Mapping[str, Clock]) -> Iterator[Finding]:
    """Of each server, by name. No two clocks are compared by the service; each must only go forward."""
    if not clocks:
        return
    words = "; ".join(f"{name}'s {_beside(clock)} this host's" for name, clock in clocks.items())
    matters = "no two are ever compared, but Redis's must not be set back"
    if any(abs(clock.ahead_seconds) > _FAR_SECONDS for clock in clocks.values()):
        yield warn("clocks", f"{words}; {matters}", "mend the time service: let clocks slew, not step")
    else:
        yield ok("clocks", f"{words}; {matters}")


def _beside(clock: Clock) -> str:
    ms = clock.ahead_seconds * 1000
    if abs(ms) <= max(1.0, clock.uncertain_seconds * 1000):
        return "agrees with"
    return f"is {abs(ms):,.0f} ms {'ahead of' if ms > 0 else 'behind'}"
