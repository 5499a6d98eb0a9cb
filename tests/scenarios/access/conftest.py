"""One service that asks for keys, with an entity and a parameter in each state that a cache can have them in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from service.embedded import Valkey
from tests.scenarios.access.samples import TYPE
from tests.support.keys import EVERYTHING, bearer, make_key, revoke_key
from tests.support.service_process import ServiceProcess
from tests.support.valkey_commands import command

PLANTED = "planted-secret-4711"
FOREIGN = tuple(f"{verb}:other" for verb in ("read", "write", "steer", "observe"))
STATES = ("is-cold", "is-warm", "is-none", "is-late")
"""Also the names of what is in them; as long as each other, so that answers are."""


@dataclass(frozen=True, slots=True)
class Stage:
    """``keys``: what is sent as Authorization, by who sends it."""

    service: ServiceProcess
    client: httpx.Client
    redis_url: str
    keys: dict[str, dict[str, str]]
    job: int
    spare_key: str

    def arrange(self, state: str) -> None:
        """The entity and the parameter named as the state are in it. The version and the document say nothing new."""
        own = self.keys["own"]
        for base in (f"/v1/entities/{TYPE}", "/v1/parameters"):
            path, name = f"{base}/{state}", f"{TYPE if 'entities' in base else 'parameter'}:{state}"
            if state == "is-none":
                self.client.delete(path, headers=own)
                assert self.client.get(path, headers=own).status_code == 404
                continue
            life = 0.05 if state == "is-late" else 300
            body = {"planted": PLANTED} if "entities" in base else {"type": "string", "value": PLANTED}
            query = f"?ttl_seconds={life}" if "entities" in base else ""
            body |= {} if query else {"ttl_seconds": life}
            assert self.client.put(path + query, json=body, headers=own).is_success
            if state == "is-cold":
                command(self.redis_url, "DEL", f"cache:{name}")
            elif state == "is-warm":
                assert self._own(path)["cache-status"].startswith("aside;")
                assert self._own(path)["cache-status"].startswith("aside; hit")
            else:
                self._let_grow_stale(path, f"cache:{name}")

    def _own(self, path: str) -> httpx.Headers:
        return self.client.get(path, headers=self.keys["own"]).headers

    def _let_grow_stale(self, path: str, key: str) -> None:
        """By Redis's clock, which is what counts."""
        deadline = time.monotonic() + 10
        self._own(path)
        now = "local t = redis.call('TIME') return string.format('%d', t[1] * 1000 + t[2] / 1000)"
        while time.monotonic() < deadline:
            entry, now_ms = command(self.redis_url, "GET", key), command(self.redis_url, "EVAL", now, "0")
            assert entry is not None, "an entry past its freshness is kept for stale-if-error"
            assert now_ms is not None
            if int(entry.split(" ")[5]) < int(now_ms):
                return
        pytest.fail("the entry stays fresh")


@pytest.fixture(scope="module")
def stage(module_database_url: str, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    command(valkey.url, "FLUSHALL")
    url = module_database_url
    made = {name: make_key(url, name, *EVERYTHING) for name in ("own", "revoked")}
    made["expired"] = make_key(url, "expired", *EVERYTHING, lifetime_seconds=0.001)
    made["foreign"] = make_key(url, "foreign", *FOREIGN)
    spare = make_key(url, "spare", "read:x")
    environment = {
        "DATABASE_URL": url,
        "REDIS_URL": valkey.url,
        "ASIDE_ACCESS__REQUIRED": "true",
        "ASIDE_POLICIES": '{"thing": {"stale_if_error_seconds": 600}, "parameter": {"stale_if_error_seconds": 600}}',
    }
    service = ServiceProcess(tmp_path_factory.mktemp("access") / "log", environment, is_forked=True)
    try:
        service.start()
        with httpx.Client(base_url=service.url, timeout=20) as client:
            while client.get("/readyz").json()["status"] != "ready":
                assert service.is_running
            # It is good at first: a process must forget what it has known.
            assert client.get("/v1/keys", headers=bearer(made["revoked"])).status_code == 200
            revoke_key(url, made["revoked"].row.id)
            while client.get("/v1/keys", headers=bearer(made["revoked"])).status_code != 401:
                assert service.is_running
            keys = {"none": {}, "unknown": bearer(make_key_elsewhere()), **{n: bearer(k) for n, k in made.items()}}
            job = client.post("/v1/cache/warm", json={"entity_type": TYPE, "ids": ["x"]}, headers=keys["own"]).json()
            yield Stage(service, client, valkey.url, keys, job["id"], spare.row.id)
    finally:
        service.kill()


def make_key_elsewhere() -> str:
    """A key as it should be, which nobody has made here."""
    from service.domain.key_text import compose_key

    return compose_key("0" * 12, "z" * 32)
