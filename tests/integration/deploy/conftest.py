"""What compose.yaml starts, started without an engine: the same files and commands, folders instead of volumes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from service.embedded import Postgres, free_port
from service.embedded.private import private_folder
from service.embedded.processes import Launch, spawn
from tests.support.compose import SERVICES, Volumes
from tests.support.compose_servers import compose_postgres, compose_valkey, end, prepare
from tests.support.dockerfile import Image, lay_out
from tests.support.door import haproxy
from tests.support.name_server import NameServer

HOSTS = ("127.0.0.2", "127.0.0.3")


@dataclass(slots=True)
class Stack:
    """``replicas`` by the address at which they listen, each on ``port``; ``door`` is the load balancer's URL."""

    volumes: Volumes
    image: Image
    names: NameServer
    port: int
    door: str
    key: str = ""
    """That may do everything."""
    replicas: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start_replica(self, host: str) -> None:
        own = {"ASIDE_HOST": host, "ASIDE_PORT": str(self.port)}
        self.replicas[host] = self.launch("aside", *self.image.arguments, **own)

    def kill_replica(self, host: str) -> None:
        end(self.replicas[host])

    def launch(self, service: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """A service's entry point, with nothing in its environment but what the image and compose.yaml put there."""
        variables = {**self.image.environment, **self.volumes.environment(service), **environment}
        own = [self.volumes.seen_by(service, word) for word in SERVICES[service].get("entrypoint", ())]
        return spawn(
            Launch(
                argv=["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in variables.items()),
                      *(own or self.image.command), *arguments],
                log=self.volumes.root / f"{service}.log",
            )
        )  # fmt: skip


@pytest.fixture(scope="module")
def volumes() -> Iterator[Volumes]:
    with private_folder() as folder:
        made = Volumes(folder)
        done = prepare(made)
        assert done.returncode == 0, done.stderr
        yield made


@pytest.fixture(scope="module")
def cache_socket(volumes: Volumes) -> Iterator[Path]:
    with compose_valkey(volumes) as socket:
        yield socket


@pytest.fixture(scope="module")
def owners_postgres(volumes: Volumes) -> Iterator[Postgres]:
    with compose_postgres(volumes) as server:
        yield server


@pytest.fixture(scope="module")
def stack(volumes: Volumes, cache_socket: Path, owners_postgres: Postgres) -> Iterator[Stack]:
    """Migrated, with two replicas behind the load balancer; all of it out of the files that compose.yaml names."""
    with ExitStack() as parts:
        names = parts.enter_context(NameServer(HOSTS))
        image = lay_out(volumes.root / "image")
        port, door = free_port(), free_port()
        made = Stack(volumes, image, names, port, f"http://127.0.0.1:{door}")
        migrated = made.launch("migrate", *SERVICES["migrate"]["command"])
        assert migrated.wait(60) == 0, (volumes.root / "migrate.log").read_text()
        scopes = [word for verb in ("read", "write", "observe") for word in ("--scope", f"{verb}:*")]
        for_prometheus = made.launch("metrics-key")
        first = made.launch("aside", "keys", "create", "first", *scopes, "--json")
        assert for_prometheus.wait(60) == 0, (volumes.root / "metrics-key.log").read_text()
        assert first.wait(60) == 0, (volumes.root / "aside.log").read_text()
        made.key = json.loads((volumes.root / "aside.log").read_text())["key"]
        for host in HOSTS:
            made.start_replica(host)
        parts.callback(lambda: [end(process) for process in made.replicas.values()])
        own = {"ASIDE_DNS": names.address, "ASIDE_REPLICAS": f"aside:{port}", "ASIDE_DOOR": f"127.0.0.1:{door}"}
        assert own.keys() == SERVICES["load-balancer"]["environment"].keys()
        parts.enter_context(haproxy(own, volumes.root / "haproxy.log"))
        yield made
