"""Any client that is generated out of the OpenAPI document does: one is, and is used where keys are asked for."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from service.embedded import Valkey
from tests.support.keys import EVERYTHING, make_key
from tests.support.service_process import ServiceProcess
from tests.support.valkey_commands import command

PACKAGE = "generated_aside_client"
KEY = "test:generated:setting"


@pytest.fixture(scope="module")
def api_key(module_database_url: str) -> str:
    return make_key(module_database_url, "operator", *EVERYTHING).text


@pytest.fixture(scope="module")
def guarded(
    module_database_url: str, api_key: str, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    command(valkey.url, "FLUSHALL")
    environment = {"DATABASE_URL": module_database_url, "REDIS_URL": valkey.url, "ASIDE_ACCESS__REQUIRED": "true"}
    replica = ServiceProcess(tmp_path_factory.mktemp("replica") / "log", environment, is_forked=True)
    try:
        yield replica.start()
    finally:
        replica.kill()


@pytest.fixture(scope="module")
def generated(guarded: ServiceProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package, imported; a warning of the generator is a failure."""
    folder = tmp_path_factory.mktemp("generated")
    document, configuration = folder / "openapi.json", folder / "configuration.json"
    document.write_bytes(httpx.get(f"{guarded.url}/openapi.json").content)
    configuration.write_text(json.dumps({"post_hooks": []}))
    generator = Path(sys.executable).with_name("openapi-python-client")
    arguments = ("--path", document, "--output-path", folder / PACKAGE, "--config", configuration)
    made = subprocess.run(
        [generator, "generate", *arguments, "--meta", "none", "--fail-on-warning"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module(PACKAGE)
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


@pytest.fixture
def models(generated: ModuleType) -> ModuleType:
    return importlib.import_module(f"{generated.__name__}.models")


@pytest.fixture
def call(generated: ModuleType, guarded: ServiceProcess, api_key: str) -> Iterator[Callable[..., Any]]:
    """`call("tag.operation", …)`: the whole answer, with `status_code` and what was `parsed`."""

    def ask(name: str, *arguments: Any, **named: Any) -> Any:
        operation = importlib.import_module(f"{PACKAGE}.api.{name}")
        return operation.sync_detailed(*arguments, client=client, **named)

    with generated.AuthenticatedClient(base_url=guarded.url, token=api_key) as client:
        yield ask


def test_it_writes_reads_and_lists_entities(call: Callable[..., Any], models: ModuleType) -> None:
    made = call("entities.put_entity", "book", "dune", body={"title": "Dune"}, ttl_seconds=60.0, if_none_match="*")
    assert (made.status_code, made.parsed) == (201, {"title": "Dune"})
    assert call("entities.put_entity", "book", "dune", body={}, if_none_match="*").status_code == 412
    call("entities.put_entity", "book", "emma", body={"title": "Emma"})
    assert call("entities.read_entity", "book", "dune").parsed == {"title": "Dune"}
    assert call("entities.head_entity", "book", "dune").headers["etag"] == made.headers["etag"]

    page = call("entities.list_entities", "book", limit=1).parsed
    assert ([each.id for each in page.entities], page.next_cursor) == (["dune"], "dune")
    page = call("entities.list_entities", "book", cursor=page.next_cursor).parsed
    assert ([each.id for each in page.entities], page.next_cursor) == (["emma"], None)
    batch = call("entities.batch_read_entities", "book", body=models.EntityIds(ids=["dune", "none"])).parsed
    assert [each.status for each in batch.items] == [200, 404]
    assert (batch.items[0].body, batch.items[1].problem.status) == ({"title": "Dune"}, 404)

    writes = [
        models.BatchPut(op="put", entity_type="book", id="utopia", body={"year": 1516}, if_none_match="*"),
        models.BatchDelete(op="delete", entity_type="book", id="emma", if_match="*"),
    ]
    done = call("entities.batch_write_entities", body=models.BatchWrites(writes=writes)).parsed
    assert [each.status for each in done.items] == [201, 204]
    refused = call("entities.batch_write_entities", body=models.BatchWrites(writes=writes))
    assert (refused.status_code, [each.status for each in refused.parsed.errors]) == (412, [412, 412])
    assert call("entities.delete_entity", "book", "dune").status_code == 204
    assert call("entities.read_entity", "book", "dune").status_code == 404


def test_it_sets_gets_lists_and_deletes_parameters(call: Callable[..., Any], models: ModuleType) -> None:
    content = models.ParameterContent(type_=models.ParameterType.INTEGER, value=100, ttl_seconds=60.0)
    made = call("parameters.put_parameter", KEY, body=content, aside_actor="ann")
    assert (made.status_code, type(made.parsed)) == (201, models.Parameter)
    assert (made.parsed.value, made.parsed.updated_by) == (100, "operator (as said: ann)")
    assert made.parsed.updated_at.tzinfo is not None

    read = call("parameters.read_parameter", KEY)
    assert (read.status_code, read.parsed) == (200, made.parsed)
    assert read.headers["cache-status"].startswith("aside; hit")

    bad = models.ParameterContent(type_=models.ParameterType.INTEGER, value="100")
    refused = call("parameters.put_parameter", KEY, body=bad)
    assert (refused.status_code, type(refused.parsed)) == (422, models.Problem)
    assert refused.parsed.errors[0].pointer == "/value"

    content.value = 150
    would = call("parameters.put_parameter", KEY, body=content, dry_run=True).parsed
    assert (type(would), would.patch[0].value) == (models.Rehearsal, 150)
    call("parameters.put_parameter", KEY, body=content, if_match=read.headers["etag"])

    page = call("parameters.list_parameters", prefix=KEY).parsed
    assert [(each.key, each.value) for each in page.parameters] == [(KEY, 150)]
    batch = call("parameters.batch_read_parameters", body=models.ParameterKeys(keys=[KEY, "none"])).parsed
    assert [result.status for result in batch.results] == [200, 404]
    assert batch.results[0].body == page.parameters[0]

    assert call("parameters.put_parameter_value", KEY, body=175).parsed.value == 175
    assert call("parameters.read_parameter_value", KEY).parsed == 175

    versions = call("parameters.list_parameter_versions", KEY).parsed.versions
    assert [each.value for each in versions] == [175, 150, 100]
    back = models.Rollback(version=versions[-1].version)
    assert call("parameters.roll_back_parameter", KEY, body=back).parsed.value == 100

    assert call("parameters.delete_parameter", KEY).status_code == 204
    assert call("parameters.read_parameter", KEY).status_code == 404


def test_it_sets_policies_and_steers_the_cache(call: Callable[..., Any], models: ModuleType) -> None:
    content = models.PolicyContent(strategy=models.PolicyContentStrategy.WRITE_THROUGH, ttl_seconds=600.0)
    stored = call("cache.put_policy", "city", body=content).parsed
    assert (type(stored), stored.ttl_seconds, stored.source) == (models.Policy, 600.0, models.PolicySource.STORED)
    assert "city" in {each.entity_type for each in call("cache.list_policies").parsed.policies}
    assert call("cache.remove_policy", "city").status_code == 204
    assert call("cache.read_policy", "city").parsed.source == models.PolicySource.DEFAULT

    call("entities.put_entity", "city", "rome", body={"name": "Roma"})
    call("entities.read_entity", "city", "rome")
    assert call("cache.explain_entry", "city", "rome").parsed.key == "cache:city:rome"
    gone = call("cache.purge_cache", body=models.PurgeCachePurgeForm(entity_type="city", ids=["rome", "oslo"]))
    assert (gone.status_code, type(gone.parsed), gone.parsed.purged) == (200, models.Purged, 1)
    begun = call("cache.warm_cache", body=models.WarmCacheWarmForm(entity_types=["city"]))
    assert (begun.status_code, type(begun.parsed)) == (202, models.JobReport)
    assert call("cache.read_job", begun.parsed.id).parsed.id == begun.parsed.id
    assert call("cache.purge_cache", body=models.PurgeCachePurgeForm()).status_code == 422


def test_it_makes_rotates_and_revokes_keys(
    call: Callable[..., Any], models: ModuleType, generated: ModuleType, guarded: ServiceProcess
) -> None:
    made = call("keys.create_key", body=models.CreateKeyKeyForm(name="shop", scopes=["read:book"])).parsed
    successor = call("keys.rotate_key", made.id, body=models.RotateKeyRotationForm(overlap_seconds=60)).parsed
    assert successor.replaces == made.id
    assert {made.id, successor.id} <= {each.id for each in call("keys.list_keys").parsed.keys}
    assert call("keys.revoke_key", made.id).status_code == 204
    seen = call("keys.read_key", made.id).parsed
    assert seen.revoked_at is not None
    assert seen.history[0].kind == "revoked"

    read = importlib.import_module(f"{PACKAGE}.api.entities.read_entity")
    for token, status in ((successor.key, 404), (made.key, 401)):
        with generated.AuthenticatedClient(base_url=guarded.url, token=token) as client:
            answer = read.sync_detailed("book", "nowhere", client=client)
            assert (answer.status_code, answer.parsed.status) == (status, status)
