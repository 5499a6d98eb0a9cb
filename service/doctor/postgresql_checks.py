"""What is said of PostgreSQL as a server: version, role, durability, connections, old transactions. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from service.doctor.facts import PostgresFacts, Server, Transaction
from service.doctor.finding import Finding, fail, judged, ok, warn

_OLDEST, _NEWEST_TESTED = 15, 18
_SLOW_MS = 20.0


OF_WARMING = 2
"""Connections of the process that warms many rows: there is one at a time, over all replicas."""


def judge_postgresql(facts: PostgresFacts, *, processes: int, connections_of_each: int) -> Iterator[Finding]:
    """``processes`` of Aside are to share this server; each may take ``connections_of_each``."""
    yield _latency(facts.latency_ms)
    if len(facts.pids) > 1:
        yield fail(
            "pooling",
            "statements of one connection were answered by several sessions",
            "pool by session in between (PgBouncer: pool_mode = session): the leader's lock belongs to a session",
        )
    yield from judged(
        "server", facts.server, partial(_judge_server, processes=processes, connections_of_each=connections_of_each)
    )
    yield from judged("transactions", facts.transactions, _judge_transactions)


def _latency(latency_ms: float) -> Finding:
    found = f"it answers in {latency_ms:.1f} ms"
    if latency_ms > _SLOW_MS:
        return warn("latency", found, "bring it closer: every miss and every write waits for it")
    return ok("latency", found)


def _judge_server(server: Server, *, processes: int, connections_of_each: int) -> Iterator[Finding]:
    yield _version(server.version_num)
    yield _primary(server)
    yield _durability(server)
    yield _connections(server, processes=processes, needed=processes * connections_of_each + OF_WARMING)
    if not server.sees_sessions:
        yield ok(
            "visibility",
            f"{server.role} sees its own sessions only, so those of others are left out below",
            f"GRANT pg_read_all_stats TO {server.role}, if this is to see more",
        )
    if server.replication_role != "origin":
        yield fail(
            "replication role",
            f"session_replication_role is {server.replication_role} for {server.role}: no trigger of ours fires",
            f"ALTER ROLE {server.role} RESET session_replication_role (also: ALTER DATABASE, postgresql.conf)",
        )


def _version(number: int) -> Finding:
    major = number // 10_000
    found = f"PostgreSQL {major}.{number % 10_000}"
    if major < _OLDEST:
        return fail("version", found, f"upgrade: {_OLDEST} is the oldest that has what the triggers and queries need")
    if major > _NEWEST_TESTED:
        return warn("version", f"{found}, which is untested", f"tested are {_OLDEST} to {_NEWEST_TESTED}")
    return ok("version", found)


def _primary(server: Server) -> Finding:
    if server.is_standby:
        return fail("primary", "it is a standby: its rows may be old", "let DATABASE_URL lead to the primary")
    return ok("primary", "it is a primary")


def _durability(server: Server) -> Finding:
    unsafe = [
        *([] if server.fsync else ["fsync is off"]),
        *([] if server.full_page_writes else ["full_page_writes is off"]),
        *(["synchronous_commit is off"] if server.synchronous_commit == "off" else []),
    ]
    if unsafe:
        return warn(
            "durability",
            f"{' and '.join(unsafe)}: after a crash commits may be gone that were acknowledged, and cached",
            "switch it on, unless this data may be lost: nothing that Aside promises survives a lost commit",
        )
    return ok("durability", "what is acknowledged survives a crash")


def _connections(server: Server, *, processes: int, needed: int) -> Finding:
    left = server.connections - server.connections_of_others
    found = (
        f"{processes} process{'es' if processes > 1 else ''} of these settings, and one that warms, may take {needed} "
        f"connections; {server.connections} may be had, and others have {server.connections_of_others}"
    )
    if needed > left:
        return fail(
            "connections",
            found,
            "raise max_connections (or the limit of the role or database), or lower ASIDE_DATABASE__…_CONNECTIONS",
        )
    if needed > 0.8 * left:
        return warn("connections", found, "leave room: a rolling restart runs old and new replicas side by side")
    return ok("connections", found)


def _judge_transactions(old: Sequence[Transaction]) -> Iterator[Finding]:
    if not old:
        yield ok("transactions", "none has been open for more than 5 minutes")
        return
    words = "; ".join(f"{each.who}: {each.seconds / 60:,.0f} min" for each in old)
    yield warn(
        "transactions",
        f"open for long: {words}",
        "end them (pg_terminate_backend, ROLLBACK PREPARED): meanwhile each poll of the relay steps over all changes "
        "since, and VACUUM removes nothing",
    )
