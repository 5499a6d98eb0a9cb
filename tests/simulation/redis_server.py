"""A Redis in memory: the commands that the service sends, on connections that can break.

What the scripts decide is decided by :class:`tests.support.memory_server.MemoryServer`, which `tests/contract`
compares with real servers; this is what lies around it: commands, the script cache, restarts, snapshots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from redis.exceptions import NoScriptError, ReadOnlyError, ResponseError

from service.cache.grants import Grant
from service.cache.keys import HEARTBEAT
from service.cache.lane import _SHA
from service.cache.scripts import SOURCES
from service.cache.store import Change, Install
from tests.simulation.network import Channel
from tests.simulation.simulator import EPOCH_SECONDS, Simulator
from tests.support.memory_server import Kept, MemoryServer

_SCRIPTS = {sha: name for name, sha in _SHA.items()} | {SOURCES[name]: name for name in SOURCES}
_KEY = len("cache:")
Snapshot = dict[str, Kept]


class RedisServer:
    """One server process at a time under one name; a restart is another process, with another run_id.

    ``ahead`` (seconds) is what its clock is ahead of the simulation's. ``is_replica``: it was demoted, and takes no
    writes any more.
    """

    def __init__(self, simulator: Simulator, name: str, counts: Counter[str], *, ahead: float) -> None:
        self.simulator = simulator
        self.name = name
        self.ahead = ahead
        self.is_up = True
        self.is_replica = False
        self.memory = self._started({})
        self._counts = counts
        self._scripts: set[str] = set()
        self._channels: list[Channel] = []

    def now_ms(self) -> int:
        return int((EPOCH_SECONDS + self.simulator.now + self.ahead) * 1000)

    def _started(self, kept: Snapshot) -> MemoryServer:
        memory = MemoryServer(self.now_ms, run_id=b"%040x" % self.simulator.rng.getrandbits(160))
        memory._kept.update(kept)
        return memory

    def snapshot(self) -> Snapshot:
        return dict(self.memory._kept)

    def stop(self) -> None:
        """Every connection ends; nobody listens until it is started again."""
        self.is_up = False
        for channel in self._channels[:]:
            channel.drop()

    def start(self, kept: Snapshot) -> None:
        self.memory = self._started(kept)
        self._scripts.clear()
        self.is_up = True

    def forget_scripts(self) -> None:
        self._scripts.clear()

    # -- connections ---------------------------------------------------------------------------------------------

    def accept(self, channel: Channel) -> None:
        self._channels.append(channel)

    def hang_up(self, channel: Channel) -> None:
        if channel in self._channels:
            self._channels.remove(channel)

    def handle(self, channel: Channel, request: Any) -> None:
        """A command, or a list of them: replies in order, in one packet."""
        if isinstance(request, list):
            channel.reply([self._execute(command) for command in request])
        else:
            channel.reply([self._execute(request)])

    # -- commands ------------------------------------------------------------------------------------------------

    def _execute(self, command: Sequence[Any]) -> Any:
        verb = command[0]
        try:
            return getattr(self, f"_{verb.lower()}")(*command[1:])
        except ResponseError as error:
            return error

    def _mget(self, *keys: str) -> list[bytes | None]:
        return [self.memory.get(key) for key in keys]

    def _get(self, key: str) -> bytes | None:
        return self.memory.get(key)

    def _set(self, key: str, value: bytes, *options: Any) -> bytes | None:
        """`SET key value NX PX ms`."""
        self._writes()
        if self.memory.kept(key) is not None:
            return None
        self.memory.set(key, value, dies_at_ms=self.now_ms() + int(options[2]))
        return b"OK"

    def _unlink(self, key: str) -> int:
        self._writes()
        return int(self.memory.unlink(key))

    def _pttl(self, key: str) -> int:
        kept = self.memory.kept(key)
        if kept is None:
            return -2
        return -1 if kept.dies_at_ms is None else kept.dies_at_ms - self.now_ms()

    def _time(self) -> list[bytes]:
        seconds, millis = divmod(self.now_ms(), 1000)
        return [b"%d" % seconds, b"%d" % (millis * 1000)]

    def _ping(self) -> bytes:
        return b"PONG"

    def _info(self, _section: str) -> bytes:
        return b"# Server\r\nrun_id:" + self.memory.run_id + b"\r\n"

    def _script(self, _load: str, source: bytes) -> bytes:
        self._scripts.add(_SCRIPTS[source])  # type: ignore[index]
        return b""

    def _evalsha(self, sha: bytes, count: int, *rest: Any) -> Any:
        name = _SCRIPTS[sha]
        if name not in self._scripts:
            self._counts["script sent again"] += 1
            raise NoScriptError("NOSCRIPT No matching script.")
        return self._run(name, rest[:count], rest[count:])

    def _eval(self, source: bytes, count: int, *rest: Any) -> Any:
        name = _SCRIPTS[source]  # type: ignore[index]
        self._scripts.add(name)
        return self._run(name, rest[:count], rest[count:])

    def _writes(self) -> None:
        if self.is_replica:
            raise ReadOnlyError("READONLY You can't write against a read only replica.")

    # -- scripts -------------------------------------------------------------------------------------------------

    def _run(self, name: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
        self._writes()
        if name == "grant":
            return self._grant(keys, args)
        heartbeat = self.memory.get(HEARTBEAT)
        if name == "lease":
            return self._lease(heartbeat, keys[1:], args)
        answers: list[Any] = [heartbeat or b""]
        for place, key in enumerate(keys[1:]):
            answers.append(self._fill(key, *args[place * 4 : place * 4 + 4]) if name == "fill"
                           else self._apply(key, *args[place * 5 : place * 5 + 5]))  # fmt: skip
        return answers

    def _lease(self, heartbeat: bytes | None, keys: Sequence[str], args: Sequence[Any]) -> list[Any] | None:
        if heartbeat is None:
            return None
        lease_ms, purpose, *tokens = args
        before = tokens[len(keys) :] or [None] * len(keys)
        found = [
            self.memory.lease(key[_KEY:], token, purpose, lease_ms, given_up)
            for key, token, given_up in zip(keys, tokens[: len(keys)], before, strict=True)
        ]
        self._counts["lease busy"] += found.count(0)
        return [heartbeat, *found]

    def _fill(self, key: str, token: bytes, version: int, stale_until_ms: int, payload: bytes) -> int:
        stored = self.memory.fill(key[_KEY:], token, version, payload, stale_until_ms)
        self._counts["fill stored" if stored else "fill refused"] += 1
        return int(stored)

    def _apply(  # noqa: PLR0917 - as they come in ARGV
        self, key: str, version: int, generation: bytes, mode: str, stale_until_ms: int, payload: bytes
    ) -> bytes:
        install = None if mode == "drop" else Install(payload, stale_until_ms)
        effect = self.memory.apply(Change(key[_KEY:], version, generation, install, mode == "renew"))
        self._counts[f"apply {effect}"] += 1
        return effect.encode()

    def _grant(self, keys: Sequence[str], args: Sequence[Any]) -> bytes:
        run_id, generation, term, poll, horizon, dies_at_ms, *versions = args
        names = [key[_KEY:] for key in keys[2:]]
        granted = self.memory.grant(
            Grant(generation, term, poll, names, versions, horizon, dies_at_ms), run_id.encode()
        )
        self._counts[f"grant {granted}"] += 1
        return granted.encode()
