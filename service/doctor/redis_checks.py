"""What is said of Redis or Valkey as a server: version, role, memory, what may be evicted, rights. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from service.doctor.facts import RedisFacts
from service.doctor.finding import Finding, fail, judged, ok, warn
from service.settings import Settings

_MEBIBYTE = 1024 * 1024
_OLDEST = (7, 0)
_TESTED = "Redis 7.0 and Valkey 9.1"

Info = Mapping[str, str]


def judge_redis(facts: RedisFacts, settings: Settings, *, replicas: int) -> Iterator[Finding]:
    """``replicas`` is how many are to share this server."""
    yield _latency(facts.latency_ms, settings)
    judge = partial(_judge_info, settings=settings, replicas=replicas, database=facts.database)
    yield from judged("server", facts.info, judge)
    yield from judged("rights", facts.refused, _judge_rights)


def _judge_info(info: Info, *, settings: Settings, replicas: int, database: int) -> Iterator[Finding]:
    yield _version(info)
    yield _role(info, settings)
    yield _memory(info)
    yield _evictions(info)
    yield _persistence(info)
    yield _databases(info, database)
    yield _clients(info, settings, replicas=replicas)


def _latency(latency_ms: float, settings: Settings) -> Finding:
    limit_ms = settings.redis.operation_timeout_seconds * 1000
    found = f"it answers in {latency_ms:.1f} ms, and may take {limit_ms:.0f} ms"
    if latency_ms > limit_ms / 4:
        return warn("latency", found, "bring it closer, or find what makes it slow: SLOWLOG GET, LATENCY DOCTOR")
    return ok("latency", found)


def _version(info: Info) -> Finding:
    if "valkey_version" in info:
        found = f"Valkey {info['valkey_version']}, RESP3"
        return ok("version", found if info["valkey_version"].startswith("9.1.") else f"{found}; tested: {_TESTED}")
    version = info.get("redis_version", "")
    major, minor = (int(part) if part.isdigit() else 0 for part in (*version.split("."), "", "")[:2])
    found = f"Redis {version or 'of no known version'}, RESP3"
    if (major, minor) < _OLDEST:
        return fail("version", found, "upgrade: Redis 7.0 is the oldest that knows the flags of the scripts")
    return ok("version", found if (major, minor) == _OLDEST else f"{found}; tested: {_TESTED}")


def _role(info: Info, settings: Settings) -> Finding:
    if info.get("cluster_enabled") == "1":
        return fail(
            "role",
            "it is a node of a cluster, which refuses scripts and MGET over keys of several slots",
            "give Aside a server, or a primary with replicas, of its own",
        )
    if info.get("role") != "master":
        return fail("role", "it is a replica, which takes no writes", "let REDIS_URL lead to the primary")
    count = int(info.get("connected_slaves", 0))
    if count and not settings.redis.fails_over:
        return warn(
            "role",
            f"it is a primary with {count} replica{'s' if count > 1 else ''}",
            "if one of them may take over its address: ASIDE_REDIS__FAILS_OVER=true on every replica of Aside",
        )
    return ok("role", f"it is a primary, with {count} replicas")


def _memory(info: Info) -> Finding:
    used, limit = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    policy = info.get("maxmemory_policy", "unknown")
    if limit == 0:
        return warn(
            "memory",
            f"{used / _MEBIBYTE:,.0f} MiB used, without a limit: it grows until its host has none left",
            "CONFIG SET maxmemory …, and maxmemory-policy allkeys-lfu",
        )
    found = f"{used / _MEBIBYTE:,.0f} of {limit / _MEBIBYTE:,.0f} MiB used; maxmemory-policy is {policy}"
    if policy == "noeviction":
        return warn("memory", f"{found}: a full one takes no new entries", "CONFIG SET maxmemory-policy allkeys-lfu")
    if policy != "allkeys-lfu":
        return ok("memory", found, "allkeys-lfu keeps what is read most, also when much is read just once")
    return ok("memory", found)


def _evictions(info: Info) -> Finding:
    evicted, days = int(info.get("evicted_keys", 0)), int(info.get("uptime_in_seconds", 0)) / 86_400
    found = f"{evicted:,} keys evicted in {days:,.1f} days"
    return ok("evictions", found, "more memory would make more hits" if evicted else "")


def _persistence(info: Info) -> Finding:
    aof = "on" if info.get("aof_enabled") == "1" else "off"
    found = f"AOF is {aof}; nothing need be saved, and what is, is not used before the relay has brought it up to date"
    if info.get("loading") == "1":
        return warn("persistence", "it is still loading its data", "wait: until then it answers nothing")
    return ok("persistence", found)


def _databases(info: Info, database: int) -> Finding:
    keys = {name: value.partition(",")[0].removeprefix("keys=") for name, value in info.items() if _is_database(name)}
    ours = keys.pop(f"db{database}", "0")
    found = f"{int(ours):,} keys in database {database}"
    if keys:
        others = ", ".join(f"{name} ({int(count):,} keys)" for name, count in sorted(keys.items()))
        return ok(
            "databases",
            f"{found}; others are in use: {others}",
            "they share the memory: what is evicted may be yours. A server of its own is better",
        )
    return ok("databases", found)


def _is_database(name: str) -> bool:
    return name.startswith("db") and name[2:].isdigit()


def connections_of_one_process(settings: Settings) -> int:
    """Lanes for reads and for each script, and one each for claims, the clock, the relay, the audit, and for
    explaining, purging and warming.
    """
    return 4 * settings.redis.lanes + 7


def _clients(info: Info, settings: Settings, *, replicas: int) -> Finding:
    needed = connections_of_one_process(settings) * settings.workers * replicas
    limit, connected = int(info.get("maxclients", 0)), int(info.get("connected_clients", 0))
    found = f"{needed} connections are needed; {connected:,} are open, {limit:,} allowed"
    if limit and needed > limit:
        return fail("clients", found, "raise maxclients")
    return ok("clients", found)


def _judge_rights(refused: Sequence[str]) -> Iterator[Finding]:
    if refused:
        yield fail(
            "rights",
            f"this user may not: {', '.join(refused)}",
            "ACL SETUSER … ~cache:* ~refresh:* ~aside:* +@read +@write +@scripting +@connection +info +time",
        )
    else:
        yield ok("rights", "this user may do all that it has to")
