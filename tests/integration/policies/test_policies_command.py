"""`aside policies` against a service that runs: what it prints, what it changes, how it refuses."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from service.cli import main
from service.embedded import Valkey
from tests.support.service_process import ServiceProcess

Aside = Callable[..., Result]


@pytest.fixture
def aside(shared_replica: ServiceProcess) -> Aside:
    """Runs `aside policies …`, with the service's address in the environment."""

    def run(*arguments: str) -> Result:
        return CliRunner(env={"ASIDE_URL": shared_replica.url, "ASIDE_ACTOR": "ann"}).invoke(
            main, ["policies", *arguments]
        )

    return run


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_policy_is_set_seen_and_unset(aside: Aside, entity_type: str):
    options = ("--strategy", "write_through", "--ttl-seconds", "60", "--reason", "50 % more, für dich")
    difference = aside("set", entity_type, *options, "--dry-run")
    assert "Would create" in difference.stdout
    assert "ttl_seconds: 60" in difference.stdout
    assert told(aside("get", entity_type, "--json"))["source"] == "default"

    made = told(aside("set", entity_type, *options, "--json"))
    assert (made["strategy"], made["ttl_seconds"], made["updated_by"]) == ("write_through", 60, "ann")
    [line] = [line for line in aside("list").stdout.splitlines() if line.split()[0] == entity_type]
    assert line.split() == [entity_type, "write_through", "60", "0.1", "30", "0", "1", "stored", *line.split()[-2:]]
    assert line.split()[-2:] == [str(made["version"]), "ann"]

    again = aside("set", entity_type, "--jitter", "0", "--if-version", str(made["version"] + 1))
    assert (again.exit_code, "is not what the request expects" in again.stderr) == (1, True)
    assert told(aside("unset", entity_type, "--dry-run", "--json"))["would"] == "delete"
    assert "default" in aside("unset", entity_type, "--if-version", str(made["version"])).stdout
    assert aside("unset", entity_type).exit_code == 1

    history = aside("history", entity_type).stdout.splitlines()
    assert [("removed" in line, "50 % more, für dich" in line) for line in history[1:]] == [
        (True, False),
        (False, True),
    ]
    assert len(told(aside("history", entity_type, "--json"))["versions"]) == 2
    assert "Nothing has been stored" in aside("history", f"{entity_type}-none").stdout


def test_what_cannot_be_is_refused_with_every_fault(aside: Aside, entity_type: str):
    refused = aside("set", entity_type, "--ttl-seconds", "0", "--jitter", "3")
    assert refused.exit_code == 2
    assert "/ttl_seconds: must be a number above 0" in refused.stderr
    assert "/jitter: must be a number from 0, up to 0.5" in refused.stderr
    assert (aside("get", "No").exit_code, aside("set", entity_type, "--strategy", "none").exit_code) == (2, 2)


def test_a_warming_obeys_what_is_stored(
    aside: Aside, shared_replica: ServiceProcess, module_database_url: str, valkey: Valkey, entity_type: str
):
    with httpx.Client(base_url=shared_replica.url) as client:
        while client.get("/readyz").json()["status"] != "ready":
            pass
        path = f"/v1/entities/{entity_type}/one"
        assert client.put(path, json=1).status_code == 201
        assert aside("set", entity_type, "--ttl-seconds", "5000", "--jitter", "0").exit_code == 0
        environment = {"DATABASE_URL": module_database_url, "REDIS_URL": valkey.url}
        warmed = told(CliRunner(env=environment).invoke(main, ["warm", "--type", entity_type, "--json"]))
        gc.unfreeze()  # the command has a process of its own as a rule, and freezes what is in it
        assert warmed["installed"] == 1
        left = re.fullmatch(r"aside; hit; ttl=(\d+)", client.get(path).headers["cache-status"])
        assert left is not None
        assert int(left[1]) > 3600, "longer than any policy of the settings"
