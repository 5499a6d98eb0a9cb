"""Where the service refuses to listen, and how it says so: every fault at once, each with what to set."""

from __future__ import annotations

from typing import Any

import pytest

from service.exposure import exposure_faults
from service.settings import Settings

SAFE = {
    "profile": "production",
    "DATABASE_URL": "postgresql://aside:hunter2@db.example/aside?sslmode=verify-full",
    "REDIS_URL": "rediss://aside:hunter2@cache.example:6379/0",
    "access": {"required": True},
    "host": "0.0.0.0",
}


def faults(**changed: Any) -> list[str]:
    return exposure_faults(Settings.model_validate({**SAFE, **changed}))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_on_loopback_nobody_needs_to_say_who_may(host: str):
    assert exposure_faults(Settings(host=host)) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "aside.example", "", "127.0.0.1.example"])
def test_where_others_can_reach_it_somebody_has_to_say_who_may(host: str):
    [fault] = exposure_faults(Settings(host=host))
    assert "ASIDE_ACCESS__REQUIRED=true" in fault
    assert exposure_faults(Settings(host=host, access={"required": False})) == []
    assert exposure_faults(Settings(host=host, access={"required": True})) == []


def test_the_port_of_operators_counts_too():
    assert "ASIDE_ADMIN_HOST is 0.0.0.0" in exposure_faults(Settings(admin_port=9000, admin_host="0.0.0.0"))[0]


def test_what_is_safe_may_start():
    assert faults() == []


@pytest.mark.parametrize(
    "changed",
    [
        {"DATABASE_URL": "postgresql://aside@127.0.0.1/aside", "REDIS_URL": "redis://localhost"},
        {"DATABASE_URL": "postgresql://aside@/aside?host=/run/postgresql", "REDIS_URL": "unix:///run/valkey.sock"},
    ],
)
def test_servers_on_this_machine_need_no_password_and_no_tls(changed: dict[str, str]):
    assert faults(**changed) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"DATABASE_URL": "postgresql://aside:x@db.example/aside"}, ["DATABASE_URL goes over a network without TLS"]),
        (
            {"DATABASE_URL": "postgresql://aside:x@db/a?sslmode=prefer"},
            ["DATABASE_URL goes over a network without TLS"],
        ),
        ({"DATABASE_URL": "postgresql://aside@db.example/aside?sslmode=require"}, ["DATABASE_URL has no password"]),
        ({"REDIS_URL": "redis://:x@cache.example"}, ["REDIS_URL goes over a network without TLS"]),
        ({"REDIS_URL": "rediss://cache.example"}, ["REDIS_URL has no password"]),
        ({"migrate_on_start": True}, ["ASIDE_MIGRATE_ON_START=false"]),
        ({"example_entity": True}, ["ASIDE_EXAMPLE_ENTITY=false"]),
        ({"access": {"required": False}}, ["nobody is asked for a key", "set ASIDE_ADMIN_PORT"]),
        ({"access": {"required": False}, "admin_port": 9000}, ["nobody is asked for a key"]),
    ],
)
def test_production_names_what_is_not_safe_and_what_to_set(changed: dict[str, Any], said: list[str]):
    found = faults(**changed)
    assert len(found) == len(said)
    assert all(part in fault for part, fault in zip(said, found, strict=True))
    assert "hunter2" not in str(found)


def test_production_wants_to_be_told_where_its_servers_are():
    found = exposure_faults(Settings.model_validate({"profile": "production", "access": {"required": True}}))
    assert [fault.partition(" ")[0] for fault in found] == ["DATABASE_URL", "REDIS_URL"]
