"""The load balancer of compose.yaml: Debian's HAProxy on deploy/compose/haproxy.cfg, and what it says of itself."""

from __future__ import annotations

import csv
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from service.embedded.processes import Launch, spawn

CONFIGURATION = Path(__file__).parents[2] / "deploy/compose/haproxy.cfg"


@contextmanager
def haproxy(environment: Mapping[str, str], log: Path, *, also: Path | None = None) -> Iterator[None]:
    """Running inside. ``also`` is a second file of configuration, read after the first."""
    program = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    assert program is not None, "haproxy is not installed"
    files = [word for file in (CONFIGURATION, also) if file is not None for word in ("-f", file)]
    process = spawn(Launch(argv=[program, "-db", *files], log=log, environment=environment))
    try:
        yield
    finally:
        process.kill()
        process.wait()


class DoorStatistics:
    """What a HAProxy says at its socket. ``configuration`` is the file that opens it."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "door.sock"
        self.configuration = folder / "door.cfg"
        self.configuration.write_text(f"global\n    stats socket {self._socket} level operator\n")

    def counted_in(self) -> set[str]:
        """The addresses, `host:port`, of the replicas that get requests because they are ready."""
        return {row["addr"] for row in self._rows() if row["pxname"] == "ready" and row["status"].startswith("UP")}

    def counts(self) -> dict[str, int]:
        """What it tried again on the same replica, and what on another one, since it was started."""
        rows = [row for row in self._rows() if row["svname"] == "BACKEND"]
        return {
            name: sum(int(row[column] or 0) for row in rows)
            for name, column in (("retries", "wretr"), ("redispatches", "wredis"), ("failed_connections", "econ"))
        }

    def _rows(self) -> list[dict[str, str]]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._socket))
            connection.sendall(b"show stat\n")
            text = b"".join(iter(lambda: connection.recv(65_536), b"")).decode()
        return list(csv.DictReader(text.removeprefix("# ").splitlines()))
