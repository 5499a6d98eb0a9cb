"""Any client that is generated out of the OpenAPI document does: one is, and is used against the running service."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from tests.support.service_process import ServiceProcess

PACKAGE = "generated_aside_client"


@pytest.fixture
def generated(shared_replica: ServiceProcess, tmp_path: Path) -> Iterator[ModuleType]:
    """The package, imported; a warning of the generator is a failure."""
    document, configuration = tmp_path / "openapi.json", tmp_path / "configuration.json"
    document.write_bytes(httpx.get(f"{shared_replica.url}/openapi.json").content)
    configuration.write_text(json.dumps({"post_hooks": []}))
    generator = Path(sys.executable).with_name("openapi-python-client")
    arguments = ("--path", document, "--output-path", tmp_path / PACKAGE, "--config", configuration)
    made = subprocess.run(
        [generator, "generate", *arguments, "--meta", "none", "--fail-on-warning"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(tmp_path))
    try:
        yield importlib.import_module(PACKAGE)
    finally:
        sys.path.remove(str(tmp_path))
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


def test_a_generated_client_sets_gets_lists_and_deletes(
    generated: ModuleType, shared_replica: ServiceProcess, key: str
) -> None:
    api = {
        name: importlib.import_module(f"{PACKAGE}.api.parameters.{name}")
        for name in (
            "put_parameter", "put_parameter_value", "read_parameter", "read_parameter_value", "list_parameters",
            "batch_read_parameters", "list_parameter_versions", "roll_back_parameter", "delete_parameter",
        )
    }  # fmt: skip
    models = importlib.import_module(f"{PACKAGE}.models")
    with generated.Client(base_url=shared_replica.url) as client:
        content = models.ParameterContent(type_=models.ParameterType.INTEGER, value=100, ttl_seconds=60.0)
        made = api["put_parameter"].sync_detailed(key, client=client, body=content, aside_actor="ann")
        assert (made.status_code, type(made.parsed)) == (201, models.Parameter)
        assert (made.parsed.value, made.parsed.updated_by, made.parsed.updated_at.tzinfo is None) == (100, "ann", False)

        read = api["read_parameter"].sync_detailed(key, client=client)
        assert (read.status_code, read.parsed) == (200, made.parsed)
        assert read.headers["cache-status"].startswith("aside; hit")

        bad = models.ParameterContent(type_=models.ParameterType.INTEGER, value="100")
        refused = api["put_parameter"].sync_detailed(key, client=client, body=bad)
        assert (refused.status_code, type(refused.parsed)) == (422, models.Problem)
        assert refused.parsed.errors[0].pointer == "/value"

        content.value = 150
        would = api["put_parameter"].sync(key, client=client, body=content, dry_run=True)
        assert (type(would), would.patch[0].value) == (models.Rehearsal, 150)
        api["put_parameter"].sync(key, client=client, body=content, if_match=read.headers["etag"])

        page = api["list_parameters"].sync(client=client, prefix=key)
        assert [(each.key, each.value) for each in page.parameters] == [(key, 150)]
        batch = api["batch_read_parameters"].sync(client=client, body=models.ParameterKeys(keys=[key, "none"]))
        assert [result.status for result in batch.results] == [200, 404]
        assert batch.results[0].body == page.parameters[0]

        assert api["put_parameter_value"].sync(key, client=client, body=175).value == 175
        assert api["read_parameter_value"].sync(key, client=client) == 175

        versions = api["list_parameter_versions"].sync(key, client=client).versions
        assert [each.value for each in versions] == [175, 150, 100]
        back = models.Rollback(version=versions[-1].version)
        assert api["roll_back_parameter"].sync(key, client=client, body=back).value == 100

        assert api["delete_parameter"].sync_detailed(key, client=client).status_code == 204
        assert api["read_parameter"].sync_detailed(key, client=client).status_code == 404
