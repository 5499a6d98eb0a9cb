"""The servers of compose.yaml without an engine: its files and commands, with folders instead of volumes."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.embedded import Postgres
from service.embedded.discovery import find_valkey
from service.embedded.private import TEST_SETTINGS
from service.embedded.processes import Launch, spawn
from tests.support.compose import ROOT, SERVICES, Volumes


def prepare(volumes: Volumes, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The one-shot that makes the secrets."""
    return subprocess.run(
        ["/bin/sh", ROOT / "deploy/compose/prepare.sh", *arguments],
        env={"PATH": "/usr/bin:/bin", "ROOT": str(volumes.root), "SOURCES": str(ROOT / "deploy/compose")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@contextmanager
def compose_valkey(volumes: Volumes) -> Iterator[Path]:
    """Valkey on deploy/compose/valkey.conf; its socket."""
    configuration = volumes.root / "valkey.conf"
    text = (ROOT / "deploy/compose/valkey.conf").read_text()
    configuration.write_text(volumes.seen_by("valkey", text))
    process = spawn(Launch(argv=[find_valkey(), configuration], log=volumes.root / "valkey.log"))
    try:
        yield volumes["valkey-socket"] / "valkey.sock"
    finally:
        end(process)


@contextmanager
def compose_postgres(volumes: Volumes) -> Iterator[Postgres]:
    """PostgreSQL as compose.yaml has it: in no network, a socket in a shared folder, a password for everyone."""
    words = SERVICES["postgres"]["command"][2::2]
    settings = dict(word.split("=", 1) for word in words) | TEST_SETTINGS
    password = (volumes["secrets-postgres"] / "owner-password").read_text()
    (folder := volumes.root / "cluster").mkdir()
    server = Postgres(
        folder,
        port=5432,  # the name of the socket, and no more
        password=password,
        is_durable=False,
        settings={**settings, "unix_socket_directories": str(volumes["postgres-socket"])},
        first_sql=[f"CREATE ROLE aside_owner SUPERUSER LOGIN PASSWORD '{password}'", "CREATE DATABASE aside"],
        owned=volumes.root,
    )
    try:
        yield server.start()
    finally:
        server.kill()


def end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
