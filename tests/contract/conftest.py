"""Every store there is: over a dictionary, over the Valkey that discovery finds, over each other server on PATH."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from service.embedded import Valkey
from service.embedded.discovery import find_valkey
from service.embedded.private import private_folder
from tests.contract.benches import Bench, MemoryBench, SimulatedBench, real_bench


def programs() -> dict[str, Path]:
    """The servers to test against: the one the service itself would run, and those of the machine."""
    found = {"valkey": find_valkey()}
    for name in ("valkey-server", "redis-server"):
        program = shutil.which(name, path=os.environ.get("PATH", ""))
        if program is not None and Path(program) != found["valkey"]:
            found[name] = Path(program)
    return found


@contextmanager
def running(program: Path, options: Mapping[str, str] | None = None) -> Iterator[Valkey]:
    with private_folder() as folder:
        server = Valkey(folder, program=program, options=options)
        try:
            yield server.start()
        finally:
            server.kill()


@pytest.fixture(scope="session", params=sorted(programs()))
def server(request: pytest.FixtureRequest) -> Iterator[Valkey]:
    """Each real server in turn, shared by all tests of the session."""
    with running(programs()[request.param]) as started:
        yield started


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, Valkey]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(running(program)) for name, program in programs().items()}


@pytest.fixture(params=["memory", "simulated", *sorted(programs())])
async def bench(request: pytest.FixtureRequest, servers: dict[str, Valkey]) -> AsyncIterator[Bench]:
    """A store with nothing in it, and a live heartbeat."""
    if request.param == "memory":
        memory = MemoryBench()
        memory.beat()
        yield memory
        return
    if request.param == "simulated":
        simulated = SimulatedBench()
        simulated.beat()
        yield simulated
        await simulated.close()
        return
    async with real_bench(servers[request.param].url) as real:
        real.beat()
        yield real
