"""The cache's servers: one Valkey, one Redis, or a replicated pair that a Sentinel watches."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import ClassVar

from service.embedded import Valkey
from service.embedded.private import private_folder
from service.embedded.processes import Launch
from tests.support.valkey_commands import command

MAX_MEMORY = "64mb"
_QUIET: Mapping[str, str] = {
    "loglevel": "warning",
    "maxmemory": MAX_MEMORY,
    "repl-diskless-sync-delay": "0",
    "protected-mode": "no",  # replicas come from 127.0.0.11 and up, which it would not take for this machine
}


class Sentinel(Valkey):
    """Watches a primary, alone (quorum 1), and lets the replica take over after half a second of silence."""

    name: ClassVar[str] = "Sentinel"

    def __init__(self, folder: Path, *, program: Path, primary_port: int) -> None:
        super().__init__(folder, program=program)
        self._primary_port = primary_port

    def _prepare(self) -> None:
        watched = f"sentinel monitor aside 127.0.0.1 {self._primary_port} 1"
        rules = ("down-after-milliseconds aside 500", "failover-timeout aside 3000", "parallel-syncs aside 1")
        lines = [f"port {self.port}", "bind 127.0.0.1", f"dir {self.folder}", watched]
        lines += [f"sentinel {rule}" for rule in rules]
        (self.folder / "valkey.conf").write_text("\n".join([*lines, ""]))

    def _launch(self) -> Launch:
        return Launch(argv=[self._program, self.folder / "valkey.conf", "--sentinel"], log=self.log)

    def _is_ready(self) -> bool:
        """A Sentinel knows no QUIT, with which the others end the exchange."""
        try:
            return command(self.url, "PING", timeout_seconds=1) == "PONG"
        except (OSError, RuntimeError):
            return False


class RedisLeg:
    """`leg.primary` is the server that the service's address leads to."""

    def __init__(self, kind: str, stack: ExitStack) -> None:
        program = None if kind == "valkey" else redis_program()
        self.servers = [Valkey(stack.enter_context(private_folder()), program=program, options=_QUIET)]
        self.sentinel: Sentinel | None = None
        if kind == "sentinel":
            second = {**_QUIET, "replicaof": f"127.0.0.1 {self.servers[0].port}"}
            self.servers.append(Valkey(stack.enter_context(private_folder()), program=program, options=second))
            folder = stack.enter_context(private_folder())
            assert program is not None
            self.sentinel = Sentinel(folder, program=program, primary_port=self.servers[0].port)
        self.primary = self.servers[0]
        for server in [*self.servers, *([self.sentinel] if self.sentinel else [])]:
            stack.callback(server.kill)
            server.start()

    def tell(self, *words: str, timeout_seconds: float = 2.0) -> str | None:
        """One command to the primary; None where it does not answer, or answers with an error."""
        with suppress(OSError, RuntimeError, ValueError):
            return command(self.primary.url, *words, timeout_seconds=timeout_seconds)
        return None

    async def current_primary(self) -> Valkey:
        """Whom Sentinel names; without one, there is only one."""
        if self.sentinel is None:
            return self.primary
        with suppress(OSError, ValueError):  # TimeoutError too
            async with asyncio.timeout(
                1
            ):  # `wait_for` of Python 3.11 may swallow a cancellation, and the campaign's end
                port = await _master_port(self.sentinel.port)
            self.primary = next((server for server in self.servers if server.port == port), self.primary)
        return self.primary

    async def until_in_sync(self, seconds: float = 15.0) -> bool:
        """Whether a replica follows the primary again, in time."""
        for _ in range(int(seconds / 0.1)):
            await self.current_primary()
            role = await asyncio.to_thread(self.tell, "INFO", "replication")
            if role and "role:master" in role and "state=online" in role:
                return True
            await asyncio.sleep(0.1)
        return False


async def _master_port(sentinel_port: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", sentinel_port)
    try:
        writer.write(b"SENTINEL get-master-addr-by-name aside\r\n")
        lines = [await reader.readline() for _ in range(5)]
        return int(lines[4])
    finally:
        writer.close()


def redis_program() -> Path:
    """Debian's. Returned as the link it is: the program looks at its own name."""
    found = shutil.which("redis-server")
    if found is None:
        raise SystemExit("no redis-server on PATH: apt-get install redis-server, or choose --redis valkey")
    return Path(found).absolute()
