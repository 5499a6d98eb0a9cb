"""What is said of the servers and the settings: each fault by its name, its weight, and what to do."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from service.doctor.facts import Clock, Heartbeat, PostgresFacts, RedisFacts, Server, ServiceFacts, Transaction
from service.doctor.finding import Finding, Level, Section, Unseen, judged, verdict
from service.doctor.postgresql_checks import judge_postgresql
from service.doctor.redis_checks import judge_redis
from service.doctor.service_checks import judge_service
from service.doctor.settings_checks import judge_settings
from service.doctor.together_checks import judge_clocks, judge_heartbeat
from service.settings import Settings

SETTINGS = Settings()
SERVER = Server(
    version_num=180_006, is_standby=False, role="aside", sees_sessions=True, fsync=True, synchronous_commit="on",
    full_page_writes=True, replication_role="origin", connections=97, connections_of_others=3,
)  # fmt: skip
POSTGRES = PostgresFacts(
    latency_ms=0.4, pids=frozenset({1}), clock=Clock(0, 0), server=SERVER, transactions=[], revision=None, schema=None
)
INFO = {
    "valkey_version": "9.1.2",
    "role": "master",
    "run_id": "abc",
    "used_memory": "1000",
    "maxmemory": "1048576",
    "maxmemory_policy": "allkeys-lfu",
    "maxclients": "10000",
    "db0": "keys=7,expires=1",
}
REDIS = RedisFacts(latency_ms=0.3, clock=Clock(0, 0), database=0, info=INFO, refused=[], heartbeat=None, watermark=None)


def faults_of(findings: Iterable[Finding]) -> dict[str, Level]:
    """Whatever is not well. Each of them says what to do."""
    faults = [finding for finding in findings if finding.level is not Level.OK]
    assert all(fault.todo for fault in faults)
    return {fault.check: fault.level for fault in faults}


def of_postgresql(facts: PostgresFacts = POSTGRES, *, replicas: int = 1, **server: object) -> dict[str, Level]:
    if server:
        facts = PostgresFacts(**{**as_members(facts), "server": SERVER._replace(**server)})
    return faults_of(judge_postgresql(facts, processes=replicas, connections_of_each=19))


def of_redis(
    *, settings: Settings = SETTINGS, replicas: int = 1, latency_ms: float = 0.3, **info: str
) -> dict[str, Level]:
    facts = RedisFacts(**{**as_members(REDIS), "info": {**INFO, **info}, "latency_ms": latency_ms})
    return faults_of(judge_redis(facts, settings, replicas=replicas))


def as_members(facts: PostgresFacts | RedisFacts) -> dict[str, object]:
    return {name: getattr(facts, name) for name in type(facts).__slots__}


def test_a_server_that_is_as_it_should_be_has_no_faults() -> None:
    assert of_postgresql() == {}
    assert of_redis() == {}
    assert faults_of(judge_settings(SETTINGS)) == {}


@pytest.mark.parametrize(
    ("server", "fault"),
    [
        ({"version_num": 140_011}, ("version", Level.FAIL)),
        ({"version_num": 190_000}, ("version", Level.WARN)),
        ({"is_standby": True}, ("primary", Level.FAIL)),
        ({"fsync": False}, ("durability", Level.WARN)),
        ({"synchronous_commit": "off"}, ("durability", Level.WARN)),
        ({"replication_role": "replica"}, ("replication role", Level.FAIL)),
        ({"connections": 23}, ("connections", Level.FAIL)),
        ({"connections": 24}, ("connections", Level.WARN)),
    ],
)
def test_each_fault_of_postgresql_has_its_name_and_weight(server: dict[str, object], fault: tuple[str, Level]) -> None:
    assert of_postgresql(**server) == dict([fault])


def test_more_replicas_need_more_connections() -> None:
    assert of_postgresql(replicas=4) == {"connections": Level.WARN}
    assert of_postgresql(replicas=5) == {"connections": Level.FAIL}
    assert of_redis(replicas=900) == {"clients": Level.FAIL}


def test_an_old_transaction_and_a_pool_of_transactions_are_told() -> None:
    facts = {
        **as_members(POSTGRES),
        "transactions": [Transaction("session 7 of ann", 4_000)],
        "pids": frozenset({1, 2}),
    }
    assert of_postgresql(PostgresFacts(**facts)) == {"pooling": Level.FAIL, "transactions": Level.WARN}


@pytest.mark.parametrize(
    ("info", "fault"),
    [
        ({"role": "slave"}, ("role", Level.FAIL)),
        ({"cluster_enabled": "1"}, ("role", Level.FAIL)),
        ({"connected_slaves": "1"}, ("role", Level.WARN)),
        ({"maxmemory": "0"}, ("memory", Level.WARN)),
        ({"maxmemory_policy": "noeviction"}, ("memory", Level.WARN)),
        ({"loading": "1"}, ("persistence", Level.WARN)),
        ({"latency_ms": 60.0}, ("latency", Level.WARN)),
    ],
)
def test_each_fault_of_redis_has_its_name_and_weight(info: dict[str, str], fault: tuple[str, Level]) -> None:
    assert of_redis(**info) == dict([fault])


def test_a_redis_that_is_too_old_is_told_from_one_that_is_not() -> None:
    without_valkey = {name: value for name, value in INFO.items() if name != "valkey_version"}
    found = {}
    for version in ("6.2.14", "7.0.15", "8.2.0", "x"):
        facts = RedisFacts(**{**as_members(REDIS), "info": {**without_valkey, "redis_version": version}})
        [finding] = [each for each in judge_redis(facts, SETTINGS, replicas=1) if each.check == "version"]
        found[version] = (finding.level, "tested" in finding.found)
    assert found == {
        "6.2.14": (Level.FAIL, False),
        "7.0.15": (Level.OK, False),
        "8.2.0": (Level.OK, True),
        "x": (Level.FAIL, False),
    }


def test_what_a_failover_may_exchange_is_no_fault_where_the_settings_know_of_it() -> None:
    knows = SETTINGS.model_copy(update={"redis": SETTINGS.redis.model_copy(update={"fails_over": True})})
    assert of_redis(settings=knows, connected_slaves="2") == {}


def test_a_heartbeat_of_another_server_or_another_history_is_told() -> None:
    def of_heartbeat(heartbeat: Heartbeat | None) -> dict[str, Level]:
        facts = RedisFacts(**{**as_members(REDIS), "heartbeat": heartbeat})
        return faults_of(judge_heartbeat(facts, None, SETTINGS))

    assert of_heartbeat(Heartbeat("abc", "h.1", 1_900)) == {}
    assert of_heartbeat(Heartbeat("xyz", "h.1", 1_900)) == {"heartbeat": Level.WARN}
    assert of_heartbeat(None) == {"heartbeat": Level.WARN}


def test_clocks_that_differ_by_seconds_are_fine_and_by_minutes_are_worth_a_word() -> None:
    assert faults_of(judge_clocks({"Redis": Clock(5.0, 0.001)})) == {}
    [finding] = judge_clocks({"Redis": Clock(-90.0, 0.001)})
    assert finding.level is Level.WARN
    assert "Redis's is 90,000 ms behind this host's" in finding.found


@pytest.mark.parametrize(
    ("changed", "check"),
    [
        ({"host": "0.0.0.0"}, "access"),
        ({"redis": {"operation_timeout_seconds": 0.2, "request_budget_seconds": 0.1}}, "redis budget"),
        ({"bound_seconds": 0.6}, "bound"),
        ({"relay": {"change_retention_seconds": 60}}, "change retention"),
        ({"default_policy": {"ttl_seconds": 0.5}}, "policies"),
        ({"workers": 4, "audit": {"samples_per_second": 500}}, "audit"),
    ],
)
def test_settings_that_do_not_go_together_are_named(changed: dict[str, object], check: str) -> None:
    assert faults_of(judge_settings(Settings(**changed))) == {check: Level.WARN}


def test_a_service_of_another_version_or_bound_is_told() -> None:
    well = ServiceFacts(status="ready", components={"cache": "ok"}, version="1", bound_seconds=2.0)
    assert faults_of(judge_service(well, SETTINGS, version="1")) == {}
    other = ServiceFacts(status="unavailable", components={"schema": "behind"}, version="2", bound_seconds=5.0)
    found = faults_of(judge_service(other, SETTINGS, version="1"))
    assert found == {"readiness": Level.FAIL, "version": Level.WARN, "bound": Level.FAIL}


def test_what_could_not_be_seen_is_a_warning_with_its_reason_and_the_worst_is_the_verdict() -> None:
    [finding] = judged("rights", Unseen("NOPERM"), lambda _: [])
    assert (finding.level, "NOPERM" in finding.found) == (Level.WARN, True)
    assert verdict([Section("a", [finding]), Section("b", [])]) is Level.WARN
    assert verdict([]) is Level.OK
