"""The sections of a report, one for each kind of cell; what was not measured has none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from tests.bench import tables
from tests.bench.contestants import PLAIN
from tests.bench.figures import Found

Results = Mapping[str, Found]

_WARM = {
    "warm": "base", "warm-c1": "1 connection", "warm-c8": "8", "warm-c256": "256", "warm-5kb": "5 KB",
    "warm-50kb": "50 KB", "warm-zipf": "Zipf", "warm-100k": "100,000 keys",
}  # fmt: skip


def sections(found: Results, pictures: Mapping[str, str]) -> list[str]:
    """Paragraphs. ``pictures`` are file names, by what they show."""
    return [part for section in (_hits, _loads, _open_loop, _others) for part in section(found, pictures) if part]


def _hits(found: Results, pictures: Mapping[str, str]) -> Iterator[str]:
    if any(name in found for name in (*_WARM, "warm-1m")):
        yield "## Hits"
    if "warm" in found:
        yield (
            "64 connections, 250 B, any of 1,000 keys. CPU µs is what the server itself uses of its core for one "
            "request; hits are counted by Aside."
        )
        yield _picture(pictures, "throughput", "Hits per second beside the ceiling")
        yield tables.by_target(found["warm"])
    others = {name: found[name] for name in _WARM if name in found}
    if others.keys() - {"warm"}:
        yield (
            "One thing changed at a time, medians. `*`: with errors, see `benchmarks.json`. Among 100,000 keys are "
            "only those who can be filled with so many in time."
        )
        yield tables.matrix(others, _WARM)
        yield _picture(pictures, "connections", "Hits per second by the number of connections")
    if "warm-1m" in found and found["warm-1m"].loads:
        keys = found["warm-1m"].facts["keys"]
        yield f"Aside among all {keys:,} keys, which were cached before, and among 1,000 of them:"
        yield tables.by_target(found["warm-1m"], beside=None)


def _loads(found: Results, pictures: Mapping[str, str]) -> Iterator[str]:
    if "cold" in found and found["cold"].loads:
        yield "## Misses"
        yield "The cache is empty and each request is for a key that nobody asked for before; the same keys for all."
        yield tables.by_target(found["cold"], beside=PLAIN)
    if "outage" in found and found["outage"].loads:
        outage = found["outage"]
        yield "## Valkey is gone"
        yield tables.by_target(outage, beside=PLAIN)
        yield (
            f"Connections of Aside to PostgreSQL meanwhile, out of {outage.facts['looks']:,} looks at "
            f"`pg_stat_activity`; configured are {outage.facts['load_connections']} that load, and "
            f"{outage.facts['connections']} at all."
        )
        yield tables.figures(outage)
    yield _picture(pictures, "without", "Reads per second without a warm cache")
    if "writes" in found and found["writes"].loads:
        yield "## Writes"
        yield "PUT of 250 B to any of 10,000 keys; on the same server, durable when acknowledged."
        yield tables.by_target(found["writes"], beside=PLAIN)


def _open_loop(found: Results, pictures: Mapping[str, str]) -> Iterator[str]:
    points = found.get("open-loop", Found()).facts.get("points", [])
    if not points:
        return
    yield "## At fixed rates"
    yield (
        "Requests come whether or not the server is ready; latency counts from when each was due. Rates are shares of "
        "what the closed loop reached for Aside; whoever reaches less than that is not asked. Medians of the rounds. "
        "The generator, in Python, has the other core together with Valkey: where less is done than was due, it may be "
        "the one that is late."
    )
    yield _picture(pictures, "open-loop", "Latency at fixed rates")
    yield tables.table(
        ("", "share", "req/s due", "done", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms", "errors", "sent late"),
        [_point_row(target, share, group) for (target, share), group in _grouped(points).items()],
    )


def _grouped(points: Sequence[Mapping[str, Any]]) -> dict[tuple[str, float], list[Mapping[str, Any]]]:
    groups: dict[tuple[str, float], list[Mapping[str, Any]]] = {}
    for point in sorted(points, key=lambda point: (point["target"], point["share"])):
        groups.setdefault((point["target"], point["share"]), []).append(point)
    return groups


def _point_row(target: str, share: float, points: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    latencies = [
        tables.number(median(point["latency_ms"][name] for point in points))
        for name in ("p50", "p90", "p99", "p99.9", "max")
    ]
    rate, done = (tables.number(median(point[name] for point in points)) for name in ("rate", "throughput"))
    return (
        target,
        f"{share:.0%}",
        rate,
        done,
        *latencies,
        f"{sum(point['errors'] for point in points):,}",
        _late(points),
    )


def _late(points: Sequence[Mapping[str, Any]]) -> str:
    """Requests that the generator itself sent late: with many of them its speed was measured, not the server's."""
    return f"{sum(point.get('late', {}).get('count', 0) for point in points):,}"


def _others(found: Results, pictures: Mapping[str, str]) -> Iterator[str]:
    for name, title, says in _SINGLES:
        if name not in found or not (found[name].figures or found[name].loads):
            continue
        yield f"## {title}"
        yield says.format(**found[name].facts)
        yield _picture(pictures, name, title)
        if found[name].loads:
            yield tables.by_target(found[name])
        if found[name].figures:
            yield tables.figures(found[name])


_SINGLES = (
    ("keys", "Hits with keys",
     "The base case once more: nobody is asked for a key; each request brings one, and it is checked; besides, what "
     "the client sends is counted against a rate of {rate:,} per second, which nobody reaches. The ceiling and the "
     "first are sent no key, so what one more header costs is in the ratio as well."),
    ("encrypted", "Through TLS",
     "Two services on the same servers, Debian's PostgreSQL and Redis. One speaks to both in the clear, as a user of "
     "Redis who may do everything; the other through TLS with certificates that it verifies, as the Redis user of "
     "compose.yaml, of few rights. Each miss is for a key that nobody asked for before; a write is a PUT of any of "
     "{written_keys:,} keys, durable when acknowledged."),
    ("workers", "Hits by the number of processes",
     "{connections} connections, 250 B, any of 1,000 keys; nothing is pinned, {cores} cores for all. wrk (one thread), "
     "Valkey and HAProxy are on the same cores as the processes of Aside: on two cores, a second worker gets what they "
     "leave, and hits per second say little of workers. CPU µs is what all processes of Aside use for one request, "
     "together; hits per second of their own time are its inverse, and fall where workers hinder each other. The "
     "busiest one's share tells how evenly they took connections."),
    ("floods", "Hits beside a flood",
     "One client reads one key {rate:,.0f} times per second, over 16 connections, on time; in every other window of "
     "{seconds:g} s another client floods the same process over {connections} connections, by wrk. Each ratio is made "
     "of two neighbouring windows; a flood begins {begins:g} s before its window, with what its client has saved, and "
     "that is told apart. Absent keys: each request is for an id that never was. Beyond the rate: each client "
     "may send {allowed:,.0f} per second, {burst:,.0f} at once after a pause; the flood asks for warm keys. The timed "
     "client, wrk and the stores share one core, so a flood makes the client itself late, too."),
    ("stampede", "A stampede",
     "{readers:,} readers miss one key over {processes} processes, and their requests are all there when the processes "
     "begin to read. The processes' own counters say what was loaded. Each round has another key."),
    ("expiry", "A hot key through its expiry",
     "{rate:,.0f} reads/s of one key with a lifetime of {ttl_seconds:g} s. Around: within {window_seconds:g} s of the "
     "moment when its entry is replaced; in calm: twice as far from any. Of windows "
     "of the same length the median of their p99, as a machine that does other work for a moment spoils one of them."),
    ("batch", "Batch reads", "{items} warm keys of type `{of}` in each request, beside single reads of the same keys."),
    ("warming", "Warming", "`aside warm` of {rows:,} rows into an empty cache."),
    ("eviction", "A cache that is too small",
     "{keys:,} keys are read by Zipf's law (s = 1) through a Valkey that has memory for {holds:,} of them "
     "({limit_mib:.1f} MiB); before each {reads:,} of these reads, {sweeps} times, somebody reads {holds:,} other keys "
     "once. Both policies get the same reads in the same order. Counted are the reads by Zipf's law alone; if just "
     "the most popular keys were held all the time, {best:.1%} of them would be hits."),
    ("start", "Starting",
     "From the start of `aside serve` to a `/readyz` that says `ready`, on both cores, with the schema there and "
     "another replica at work. Nearly all of it is Python importing."),
    ("visibility", "Changes by plain SQL",
     "{changes} changes, one at a time, while other readers keep the service busy: from PostgreSQL's word that a "
     "change is committed to the first answer that has it. The key was a hit right before. B is {bound_ms:,.0f} ms."),
)  # fmt: skip


def _picture(pictures: Mapping[str, str], name: str, title: str) -> str:
    return f"![{title}]({pictures[name]})" if name in pictures else ""
