"""Writes the dashboards: `python deploy/grafana/make_dashboards.py [FOLDER]`. What they show is decided here."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from panels import Panel, Query, Row, Step, Words, dashboard

REQUESTS = 'job="$job", instance=~"$instance", route!~"/livez|/readyz|/metrics"'
ALL = 'job="$job", instance=~"$instance"'
READS = 'job="$job", instance=~"$instance", entity_type=~"$entity_type"'
EACH = "$__rate_interval"
GOOD_IF_ONE: Words = {"0": ("no", "red"), "1": ("yes", "green")}
LEADS: Words = {"0": ("follows", "blue"), "1": ("leads", "green")}
FOUND = ((None, "green"), (1, "red"))


def quantiles(metric: str, labels: str, *, by: str = "") -> list[Query]:
    """The median and the 99th percentile, of all or by a label."""
    groups = f"le, {by}" if by else "le"
    legend = f"{{{{{by}}}}} " if by else ""
    return [
        Query(f"histogram_quantile({q}, sum by ({groups}) (rate({metric}_bucket{{{labels}}}[{EACH}])))", legend + name)
        for q, name in ((0.5, "p50"), (0.99, "p99"))
    ]


def rates(metric: str, labels: str, by: str) -> list[Query]:
    legend = " ".join(f"{{{{{name.strip()}}}}}" for name in by.split(","))
    return [Query(f"sum by ({by}) (rate({metric}{{{labels}}}[{EACH}]))", legend)]


def hit_ratio(by: str = "") -> str:
    groups = f" by ({by})" if by else ""
    return (
        f'sum{groups} (rate(aside_cache_requests_total{{{READS}, outcome=~"hit|negative_hit"}}[{EACH}]))'
        f" / sum{groups} (rate(aside_cache_requests_total{{{READS}}}[{EACH}]))"
    )


def errors() -> str:
    """A share that is 0, not unknown, while there are none."""
    all_of_them = f"sum(rate(aside_request_seconds_count{{{REQUESTS}}}[{EACH}]))"
    failed = f'sum(rate(aside_request_seconds_count{{{REQUESTS}, status=~"50[0-3]"}}[{EACH}]))'
    return f"({failed} or vector(0)) / {all_of_them}"


def stat(
    title: str, says: str, expr: str, *, unit: str = "short", steps: Sequence[Step] = ((None, "green"),),
    words: Words | None = None,
) -> Panel:  # fmt: skip
    """One number, coloured."""
    return Panel(
        title=title,
        says=says,
        unit=unit,
        queries=[Query(expr)],
        kind="stat",
        width=3,
        height=4,
        steps=steps,
        words=words or {},
    )


NOW = Row("Now", [
    stat("Alerts", "That are firing", 'count(ALERTS{alertstate="firing", job="$job"}) or vector(0)', steps=FOUND),
    stat("Replicas", "That could be scraped", 'sum(up{job="$job"})', steps=((None, "red"), (1, "green"))),
    stat("Cache", "Whether every replica uses it", f"min(aside_cache_on{{{ALL}}})", words=GOOD_IF_ONE),
    stat("PostgreSQL", "Whether it answers every replica", f"min(aside_postgresql_up{{{ALL}}})", words=GOOD_IF_ONE),
    stat("Hit ratio", "hit and negative_hit of all reads", hit_ratio(), unit="percentunit",
         steps=((None, "red"), (0.5, "orange"), (0.8, "green"))),
    stat("5xx", "500 to 503 of all answers but those to probes", errors(), unit="percentunit",
         steps=((None, "green"), (0.001, "orange"), (0.01, "red"))),
    stat("p99", "Of all requests but probes", quantiles("aside_request_seconds", REQUESTS)[1].expr, unit="s",
         steps=((None, "green"), (0.1, "orange"), (0.5, "red"))),
    stat("Stale entries", "Proven older than B, in the time shown; never, one hopes",
         f"sum(increase(aside_audit_stale_total{{{READS}}}[$__range]))", steps=FOUND),
])  # fmt: skip

TRAFFIC = Row("Traffic", [
    Panel(title="Requests", says="By route; probes left out", unit="reqps", stacked=True,
          queries=rates("aside_request_seconds_count", REQUESTS, "route")),
    Panel(title="Answers", says="By status", unit="reqps", stacked=True,
          queries=rates("aside_request_seconds_count", REQUESTS, "status")),
    Panel(title="Latency", says="Of a request, its body included; probes left out", unit="s",
          queries=quantiles("aside_request_seconds", REQUESTS)),
])  # fmt: skip

CACHE = Row("Cache", [
    Panel(title="Reads", says="How they were answered: `off` means that the cache could not be used", unit="reqps",
          stacked=True, queries=rates("aside_cache_requests_total", READS, "outcome")),
    Panel(title="Hit ratio by entity type", says="hit and negative_hit of all reads", unit="percentunit", most=1,
          queries=[Query(hit_ratio("entity_type"), "{{entity_type}}")]),
    Panel(title="Redis's time", says="Of a call that it answered, 99th percentile", unit="s",
          queries=quantiles("aside_cache_seconds", ALL, by="op")[1:]),
    Panel(title="Redis's errors", says="Calls that it did not answer, or refused (response)", unit="ops",
          queries=rates("aside_cache_errors_total", ALL, "op, kind")),
    Panel(title="Fills", says="Loaded values put into the cache; refused: the key was changed meanwhile", unit="ops",
          queries=[*rates("aside_fills_total", ALL, "result"),
                   Query(f"sum(rate(aside_early_refreshes_total{{{READS}}}[{EACH}]))", "early refreshes")]),
    Panel(title="Waits for another's load", says="How many per second, and how long", unit="short",
          queries=[Query(f"sum(rate(aside_lease_wait_seconds_count{{{ALL}}}[{EACH}]))", "per second"),
                   Query(f"sum(rate(aside_lease_wait_seconds_sum{{{ALL}}}[{EACH}]))", "seconds waited, per second")]),
])  # fmt: skip

TRUTH = Row("Truth", [
    Panel(title="Heartbeat and relay", says="Both should stay below B; the lag is that of the replica that leads",
          unit="s", queries=[
              Query(f"max(aside_heartbeat_age_seconds{{{ALL}}} < Inf) or vector(0)", "age of the heartbeat"),
              Query(f"max(aside_relay_lag_seconds{{{ALL}}} and aside_relay_leading{{{ALL}}} >= 1)", "lag of the relay"),
              Query(f"max(aside_bound_seconds{{{ALL}}})", "B")]),
    Panel(title="Audit", says="Entries held against PostgreSQL; most suspects were just being applied", unit="ops",
          queries=[*rates("aside_audit_checked_total", READS, "sample"),
                   Query(f"sum(rate(aside_audit_suspects_total{{{ALL}}}[{EACH}]))", "suspects")]),
    Panel(title="Writes", says="deferred: the cache will know before it is used again", unit="ops", stacked=True,
          queries=rates("aside_writes_total", ALL, "result")),
])  # fmt: skip

SERVERS = Row("Redis and PostgreSQL", [
    Panel(title="Redis's memory", says="As last asked for; a limit of 0 is none", unit="bytes", queries=[
        Query(f"max(aside_redis_memory_used_bytes{{{ALL}}})", "used"),
        Query(f"max(aside_redis_memory_limit_bytes{{{ALL}}})", "limit")]),
    Panel(title="Evictions", says="Keys per second, of the whole Redis", unit="ops",
          queries=[Query(f"max(rate(aside_redis_evicted_keys{{{ALL}}}[{EACH}]))", "evicted")]),
    Panel(title="Loads", says="Queries for rows, and the keys in them", unit="ops", queries=[
        Query(f"sum(rate(aside_db_load_batch_size_count{{{ALL}}}[{EACH}]))", "queries"),
        Query(f"sum(rate(aside_db_load_batch_size_sum{{{ALL}}}[{EACH}]))", "keys")]),
    Panel(title="Time of a load", says="One query for all keys that waited", unit="s",
          queries=quantiles("aside_db_load_seconds", ALL), steps=((None, "transparent"), (0.5, "red"))),
    Panel(title="Connections", says="In use, of those allowed; the fullest replica", unit="percentunit", most=1,
          queries=[Query(f"max by (share) (aside_db_connections_busy{{{ALL}}} / aside_db_connections_allowed{{{ALL}}})",
                         "{{share}}")], steps=((None, "transparent"), (0.8, "red"))),
    Panel(title="Connections in use", says="Over all replicas", unit="short", stacked=True,
          queries=[Query(f"sum by (share) (aside_db_connections_busy{{{ALL}}})", "{{share}}")]),
])  # fmt: skip


def states(title: str, says: str, metric: str, words: Words) -> Panel:
    """A line for each replica, coloured by what it said when."""
    queries = [Query(f"{metric}{{{ALL}}}", "{{instance}}")]
    return Panel(title=title, says=says, unit="short", queries=queries, kind="state-timeline", height=6, words=words)


def by_replica(title: str, says: str, unit: str, expr: str, legend: str = "{{instance}}") -> Panel:
    return Panel(title=title, says=says, unit=unit, queries=[Query(expr, legend)])


REPLICAS = [
    Row("What each replica sees", [
        states("Redis", "Whether it answers", "aside_redis_up", GOOD_IF_ONE),
        states("Cache", "Whether it is used", "aside_cache_on", GOOD_IF_ONE),
        states("PostgreSQL", "Whether it answers", "aside_postgresql_up", GOOD_IF_ONE),
        states("Relay", "Which replica leads", "aside_relay_leading", LEADS),
        states("Audit", "Whether it runs", "aside_audit_running", GOOD_IF_ONE),
        states("Schema", "Whether it is as new as the replica", "aside_schema_current", GOOD_IF_ONE),
    ]),
    Row("What each replica does", [
        by_replica("Requests", "Probes left out", "reqps",
                   f"sum by (instance) (rate(aside_request_seconds_count{{{REQUESTS}}}[{EACH}]))"),
        by_replica("Latency, p99", "Probes left out", "s",
                   quantiles("aside_request_seconds", REQUESTS, by="instance")[1].expr),
        by_replica("Hit ratio", "hit and negative_hit of all reads", "percentunit", hit_ratio("instance")),
        by_replica("Loads in flight", "Queries for rows", "short", f"aside_db_loads_in_flight{{{ALL}}}"),
        by_replica("Connections in use", "By share", "short", f"aside_db_connections_busy{{{ALL}}}",
                   "{{instance}} {{share}}"),
        by_replica("Redis's errors", "Calls that it did not answer, or refused", "ops",
                   f"sum by (instance) (rate(aside_cache_errors_total{{{ALL}}}[{EACH}]))"
                   f" or sum by (instance) (0 * up{{{ALL}}})"),
    ]),
    Row("Processes (not told where a replica has several workers)", [
        by_replica("CPU", "Cores in use", "short", f"rate(process_cpu_seconds_total{{{ALL}}}[{EACH}])"),
        by_replica("Memory", "Resident", "bytes", f"process_resident_memory_bytes{{{ALL}}}"),
        by_replica("Open files", "Each client's connection is one", "short", f"process_open_fds{{{ALL}}}"),
    ]),
]  # fmt: skip

DASHBOARDS = {
    "aside-overview": dashboard(
        "aside-overview", "Aside", "One Aside: its traffic, its cache, its truth, its servers.",
        rows=[NOW, TRAFFIC, CACHE, TRUTH, SERVERS], variables=["instance", "entity_type"],
    ),
    "aside-replicas": dashboard(
        "aside-replicas", "Aside, replica by replica", "What each replica sees and does.",
        rows=REPLICAS, variables=["instance", "entity_type"],
    ),
}  # fmt: skip

if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "dashboards"
    for name, made in DASHBOARDS.items():
        (folder / f"{name}.json").write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
