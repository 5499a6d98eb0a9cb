"""The second leg: a service process, and clients that go away before they are answered, beside others that check."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import asyncpg

from tests.cancelling.disturbances import Disturbances
from tests.cancelling.findings import Findings
from tests.cancelling.rest import SECONDS, descriptors, half_closed, redis_clients, when_calm
from tests.cancelling.wire import GoneError, Reply, Wire, get, put
from tests.support.activity import database_connections
from tests.support.registers import Floors, Registers
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually

TTL_SECONDS = 0.4
_KINDS = ("entities/thing", "parameters")
_OK = {200, 201}


class HttpStorm:
    """``deserters`` clients leave; ``checkers`` keep their connections and check all that they get."""

    def __init__(
        self, service: ServiceProcess, findings: Findings, disturbances: Disturbances, *, seed: int, ids: int = 60,
        deserters: int = 24, checkers: int = 8,
    ) -> None:  # fmt: skip
        self._url = service.url
        self._findings = findings
        self._disturbances = disturbances
        self._rng = random.Random(seed)
        self._registers = Registers(bound_seconds=2.0)
        self._bodies: dict[int, bytes] = {}
        self._serial = itertools.count()
        self._clients = (deserters, checkers)
        self.paths = [f"/v1/{kind}/id-{number}" for kind in _KINDS for number in range(ids)]

    async def prepare(self) -> None:
        wire = await Wire.open(self._url)
        for path in self.paths:
            [reply] = wire.send(put(path, self._document(path)))
            assert (await reply).status in _OK
        wire.close()

    async def rage(self, cancellations: int, progressed: Callable[[int], None] = lambda _: None) -> None:
        started, found = time.monotonic(), self._findings

        async def go_on(client: Callable[[], object]) -> None:
            while found.cancelled.total() < cancellations:
                try:
                    await client()  # type: ignore[misc]
                except (GoneError, OSError) as error:
                    found.failed[type(error).__name__] += 1
                progressed(found.cancelled.total())
                await self._disturbances.maybe()

        deserters, checkers = self._clients
        clients = [self._desert] * deserters + [self._check_on_one_connection] * checkers
        await asyncio.gather(*[go_on(client) for client in clients])
        found.seconds = time.monotonic() - started

    async def _desert(self) -> None:
        """Some requests on one connection; some answers, which are checked; and away, some turns later."""
        rng = self._rng
        wire = await Wire.open(self._url)
        asked = [self._ask() for _ in range(rng.choice((1, 1, 2, 4, 6)))]
        replies = wire.send(*[request for request, _, _ in asked])
        for (_, path, floors), reply in zip(asked, replies[: rng.randrange(len(replies))], strict=False):
            self._check(path, floors, await reply)
        for _ in range(rng.choice((0, 1, 4, 20, 100))):
            await asyncio.sleep(0)
        left, is_abrupt = wire.unanswered, rng.random() < 0.5
        (wire.reset if is_abrupt else wire.close)()
        if left:
            how = "reset" if is_abrupt else "closed"
            self._findings.cancelled[f"{how}, the oldest unanswered request"] += 1
            self._findings.cancelled[f"{how}, pipelined behind it"] += left - 1

    async def _check_on_one_connection(self) -> None:
        wire = await Wire.open(self._url)
        for _ in range(50):
            asked = [self._ask() for _ in range(self._rng.choice((1, 1, 3)))]
            for (_, path, floors), reply in zip(asked, wire.send(*[each[0] for each in asked]), strict=True):
                self._check(path, floors, await reply)
        wire.close()

    def _ask(self) -> tuple[bytes, str, Floors | None]:
        """Floors for a read, None for a write."""
        path = self.paths[int(len(self.paths) * self._rng.random() ** 3)]
        if self._rng.random() < 0.07:
            return put(path, self._document(path)), path, None
        return get(path), path, self._registers.begin(path)

    def _document(self, path: str) -> bytes:
        serial, key = next(self._serial), path.rpartition("/")[2]
        if "/parameters/" in path:
            return json.dumps({"type": "string", "value": f"value {serial}"}).encode()
        return json.dumps({"key": key, "serial": serial}).encode()

    def _check(self, path: str, floors: Floors | None, reply: Reply) -> None:
        found = self._findings
        if reply.status not in _OK:
            found.failed[str(reply.status)] += 1
            if reply.status < 500:
                found.violated(f"{path}: {reply}")
            return
        found.checked["write" if floors is None else "read"] += 1
        if f'"key": "{path.rpartition("/")[2]}"'.encode() not in reply.body:
            found.violated(f"{path}: was answered with {reply}")
        elif self._bodies.setdefault(reply.version, reply.body) != reply.body:
            found.violated(f"{path}: version {reply.version} is also {self._bodies[reply.version]!r}: {reply}")
        if floors is None:
            self._registers.acknowledged(path, reply.version)
            return
        stale = self._registers.answered(path, floors, reply.version)
        if stale is not None:
            found.violated(f"{path}: {reply} went back behind {stale.behind}")

    async def compare_with_postgresql(self, database_url: str) -> None:
        connection = await asyncpg.connect(database_url)
        rows = await connection.fetch("SELECT entity_type, id, version FROM entity")
        await connection.close()
        kinds = {"thing": "entities/thing", "parameter": "parameters"}
        truth = {f"/v1/{kinds[row['entity_type']]}/{row['id']}": row["version"] for row in rows}
        wire = await Wire.open(self._url)
        for path in self.paths:
            [reply] = wire.send(get(path))
            if (answer := await reply).version != truth[path]:
                self._findings.violated(f"{path}: {answer} is not what PostgreSQL has: version {truth[path]}")
        wire.close()


async def storm_outside(
    service: ServiceProcess, *, database_url: str, redis_url: str, cancellations: int, seed: int,
    disturb_every: int = 10_000, progressed: Callable[[int], None] = lambda _: None,
) -> Findings:  # fmt: skip
    """On a service process with one worker and `environment`."""
    findings = Findings()
    disturbances = Disturbances(findings, database_url=database_url, redis_url=redis_url, every=disturb_every)
    storm = HttpStorm(service, findings, disturbances, seed=seed)
    await eventually(partial(_is_prepared, storm))
    look = partial(_look, service, database_url, redis_url)
    calm = await when_calm(look)
    await storm.rage(cancellations, progressed)
    last = calm

    async def rested() -> bool:
        nonlocal last
        last = await look()
        return last.files == calm.files and last.clients <= calm.lanes

    try:
        await eventually(rested, within_seconds=SECONDS, step_seconds=0.05)
    except AssertionError:
        findings.leaks.append(f"the process held {calm} when calm, {last} now")
    await storm.compare_with_postgresql(database_url)
    return findings


def environment(database_url: str, redis_url: str) -> dict[str, str]:
    policies = {"parameter": {"ttl_seconds": TTL_SECONDS}}
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "ASIDE_DEFAULT_POLICY__TTL_SECONDS": str(TTL_SECONDS),
        "ASIDE_POLICIES": json.dumps(policies),
        "ASIDE_LOG_LEVEL": "error",
    }


async def _is_prepared(storm: HttpStorm) -> bool:
    await storm.prepare()
    return True


class _Held(NamedTuple):
    """As :class:`tests.cancelling.rest.Rest`, of another process."""

    files: tuple[tuple[str, int], ...]
    clients: int
    lanes: int


async def _look(service: ServiceProcess, database_url: str, redis_url: str) -> _Held:
    backends = await database_connections(database_url)
    clients, relays = [await asyncio.to_thread(redis_clients, redis_url, name) for name in ("aside", "aside-relay")]
    cut = half_closed(service.pid)
    held = clients + relays + cut
    return _Held(descriptors(service.pid, sockets_aside=backends + held), held, clients + 1)
