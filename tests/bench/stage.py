"""The servers: PostgreSQL with rows, Valkey, Aside, and everybody it is compared with. Ended whatever happens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from service.db.migrations import upgrade
from service.embedded import Postgres, Valkey, private_postgres, private_valkey
from service.embedded.private import private_folder
from tests.bench.contestants import APPS, ASIDE, POOL_CONNECTIONS, WEBDIS
from tests.bench.cores import Cores, pin
from tests.bench.plan import Plan
from tests.bench.rows import seed
from tests.bench.servers import MissingError, uvicorn, webdis
from tests.support.service_process import ServiceProcess

POSTGRES = {"shared_buffers": "512MB", "max_wal_size": "4GB"}
"""fsync, full_page_writes and synchronous_commit are on, as by default: what is acknowledged is on disk."""
VALKEY = {"maxmemory": "4gb"}


@dataclass(frozen=True, slots=True)
class Target:
    """Where somebody answers. A path is ``head`` with the entity type in it, the key, and ``tail``."""

    name: str
    url: str
    pid: int
    head: str = "/v1/entities/{}/"
    tail: str = ""
    authorization: str = ""
    """What it wants to be sent."""
    counts: bool = False
    """Whether it counts its hits itself, as Aside does."""


@dataclass(slots=True)
class Stage:
    """``missing`` says why somebody is not among the ``targets``."""

    postgres: Postgres
    valkey: Valkey
    folder: Path
    cores: Cores
    stack: ExitStack
    targets: dict[str, Target] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def addresses(self) -> dict[str, str]:
        """For the environment of a server."""
        return {"DATABASE_URL": self.postgres.url, "REDIS_URL": self.valkey.url}

    @contextmanager
    def joined_by(self, target: Target) -> Iterator[None]:
        """Inside, it is one of the targets."""
        self.targets[target.name] = target
        try:
            yield
        finally:
            del self.targets[target.name]

    @contextmanager
    def aside(self, name: str = "aside", *, is_pinned: bool = True, **environment: str) -> Iterator[ServiceProcess]:
        """A replica of the service; ``environment`` beside what it needs to know."""
        process = ServiceProcess(self.folder / f"{name}.log", {**self.addresses, **environment})
        try:
            process.start()
            if is_pinned:
                pin(process.pid, self.cores.server)
            yield process
        finally:
            process.kill()


@contextmanager
def open_stage(plan: Plan, names: Iterable[str], cores: Cores) -> Iterator[Stage]:
    """With those of the contestants that can be had."""
    with ExitStack() as stack:
        postgres = stack.enter_context(private_postgres(is_durable=True, settings=POSTGRES))
        valkey = stack.enter_context(private_valkey(options=VALKEY))
        upgrade(postgres.url)
        seed(postgres.url, plan)
        stage = Stage(postgres, valkey, stack.enter_context(private_folder()), cores, stack)
        for name in names:
            try:
                stage.targets[name] = _start(stage, name)
            except MissingError as error:
                stage.missing[name] = str(error)
        yield stage


def _start(stage: Stage, name: str) -> Target:
    enter = stage.stack.enter_context
    if name == ASIDE:
        process = enter(stage.aside(ASIDE_DATABASE__WRITE_CONNECTIONS=str(POOL_CONNECTIONS)))
        return Target(name, process.url, process.pid, counts=True)
    if name == WEBDIS:
        server = enter(webdis(stage.valkey.port, folder=stage.folder, cores=stage.cores))
        return Target(name, server.url, server.pid, head="/GET/raw:{}:", tail="?type=application/json")
    server = enter(uvicorn(APPS[name], folder=stage.folder, cores=stage.cores, environment=stage.addresses))
    return Target(name, server.url, server.pid)
