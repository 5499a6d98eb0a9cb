"""A Valkey (or Redis) server of our own. With no save points: nothing is on disk that a client did not SAVE."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final

from service.embedded.discovery import find_valkey
from service.embedded.processes import Launch
from service.embedded.server import Server

DEFAULTS: Final[Mapping[str, str]] = {
    "bind": "127.0.0.1",
    "daemonize": "no",
    "save": "",
    "appendonly": "no",
    "maxmemory": "64mb",
    "maxmemory-policy": "allkeys-lfu",
}
TUNABLES: Final = "glibc.malloc.mxfast=0"
"""For a server that allocates by glibc, as that of the wheel does; any other ignores it.

What is freed in small pieces is otherwise kept apart, and merged at the next large allocation, all at once. When a
million keys are unlinked, that is when their table shrinks: a single UNLINK was seen to take a quarter of a second. So,
6 ms.
"""


class Valkey(Server):
    """A Valkey on a loopback port.

    ``options`` are lines of its configuration file, and win over `DEFAULTS`. Whatever lies at `rdb` is loaded at each
    start: SAVE and `kill` keep the data, and a copied file brings back the past.
    """

    name = "Valkey"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        program: Path | None = None,
        password: str | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder, port=port)
        self.options: dict[str, str] = {**DEFAULTS, **(options or {})}
        self._program = program or find_valkey()
        self._password = password

    @property
    def url(self) -> str:
        credentials = f":{self._password}@" if self._password else ""
        return f"redis://{credentials}127.0.0.1:{self.port}/0"

    @property
    def rdb(self) -> Path:
        """The snapshot that SAVE writes and that a start loads."""
        return self.folder / self.options.get("dbfilename", "dump.rdb")

    def _prepare(self) -> None:
        settings = {**self.options, "port": str(self.port), "dir": str(self.folder)}
        if self._password:
            settings["requirepass"] = self._password
        # A file, because other users can read a command line. A new one: the last may be another user's.
        self._configuration.unlink(missing_ok=True)
        descriptor = os.open(self._configuration, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as configuration:
            configuration.writelines(f"{name} {_quoted(value)}\n" for name, value in settings.items())

    def _launch(self) -> Launch:
        tunables = ":".join(filter(None, (TUNABLES, os.environ.get("GLIBC_TUNABLES"))))
        return Launch(argv=[self._program, self._configuration], log=self.log, variables={"GLIBC_TUNABLES": tunables})

    def _is_ready(self) -> bool:
        """Not before its data is loaded: until then PING is answered with an error."""
        login = f"AUTH {self._password}\r\n" if self._password else ""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"{login}PING\r\nQUIT\r\n".encode())
                with connection.makefile("rb") as answer:
                    return b"+PONG\r\n" in answer.read()
        except OSError:
            return False

    def _children(self) -> set[int]:
        return set()

    def _end_children(self) -> None:
        """A child that writes a snapshot ends by itself when its parent is gone; it can harm nobody."""

    @property
    def _configuration(self) -> Path:
        return self.folder / "valkey.conf"


def _quoted(value: str) -> str:
    """One argument, or several as they stand: `save "60 1"` is two, a path with a space is one."""
    if "/" not in value and value:
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
