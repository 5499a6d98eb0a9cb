"""A PostgreSQL server of our own: makes a cluster, runs it, ends all of it."""

from __future__ import annotations

import ctypes
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Final

from service.embedded import processes
from service.embedded.discovery import PostgresPrograms, find_postgres
from service.embedded.errors import FolderInUseError, ServerStartError, WrongPostgresVersionError
from service.embedded.processes import Launch
from service.embedded.server import POLL_SECONDS, Server

DEFAULTS: Final[Mapping[str, str]] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "jit": "off",
    "shared_buffers": "64MB",
    "min_wal_size": "32MB",
    "max_wal_size": "512MB",
}
INITDB_SECONDS = 120.0
LEFTOVER_SECONDS = 15.0
IPC_RMID = 0


class Postgres(Server):
    """A PostgreSQL on a loopback port, whose cluster is made at the first start.

    With no ``password``, everyone on this machine may log in: for tests, which last seconds. ``settings`` win over
    `DEFAULTS`. ``first_sql`` runs as the superuser when the cluster is made, one statement each. ``owned`` is the
    topmost closed folder above the data, where that is not ``folder``: whoever runs the server must get through it.
    """

    name = "PostgreSQL"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # "fast": cuts clients off, then writes a checkpoint

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        programs: PostgresPrograms | None = None,
        password: str | None = None,
        is_durable: bool = True,
        settings: Mapping[str, str] | None = None,
        first_sql: Sequence[str] = (),
        user: str = "postgres",
        database: str = "postgres",
        owned: Path | None = None,
    ) -> None:
        super().__init__(folder, port=port)
        unsafe = {} if is_durable else {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        self.settings: dict[str, str] = {**DEFAULTS, **unsafe, **(settings or {})}
        self.data = self.folder / "data"
        self._programs = programs or find_postgres()
        self._password = password
        self._is_durable = is_durable
        self._first_sql = tuple(first_sql)
        self._user = user
        self._database = database
        self._owned = owned or self.folder

    @property
    def url(self) -> str:
        return self.url_of(self._database)

    def url_of(self, database: str) -> str:
        """The URL of one of its databases."""
        credentials = f"{self._user}:{self._password}" if self._password else self._user
        return f"postgresql://{credentials}@127.0.0.1:{self.port}/{database}"

    def _launch(self) -> Launch:
        arguments = [argument for item in self.settings.items() for argument in ("-c", "=".join(item))]
        return Launch(
            argv=[self._programs.postgres, "-D", self.data, "-p", str(self.port), *arguments],
            log=self.log,
            unprivileged=True,
            owned=self._owned,
            # "Immediate": ends its own children, those that hang too, within 5 s, and leaves a log to recover from.
            # After a SIGKILL each child would run on until it looks up, and its shared memory would stay.
            death_signal=signal.SIGQUIT,
        )

    def _prepare(self) -> None:
        if not self.data.exists():
            self._make_cluster()
        self._check_version()
        self._clear_leftovers()

    def _make_cluster(self) -> None:
        """Made aside and then renamed, so that a cluster is either whole or not there."""
        for unfinished in self.folder.glob("making-*"):
            _remove(unfinished)
        making = self.folder / f"making-{secrets.token_hex(4)}"
        password_file = self.folder / "first-password"
        password_file.touch(mode=0o600)
        try:
            password_file.write_text(self._password or "")
            options = ["--no-instructions", "--encoding=UTF8", "--locale=C", "--wal-segsize=4", "--username=postgres"]
            options += ["--auth=scram-sha-256", f"--pwfile={password_file}"] if self._password else ["--auth=trust"]
            options += [] if self._is_durable else ["--no-sync"]
            self._run([self._programs.initdb, f"--pgdata={making}", *options])
            if self._first_sql:
                unsafe = [] if self._is_durable else ["-F"]
                self._run(
                    [self._programs.postgres, "--single", *unsafe, "-c", "exit_on_error=on", "-D", making, "postgres"],
                    stdin="".join(f"{' '.join(statement.split())}\n" for statement in self._first_sql).encode(),
                )
            making.rename(self.data)
        finally:
            password_file.unlink(missing_ok=True)
            _remove(making)

    def _run(self, argv: Sequence[str | Path], *, stdin: bytes | None = None) -> None:
        code = processes.run(
            Launch(argv=argv, log=self.log, unprivileged=True, owned=self._owned, stdin=stdin),
            timeout_seconds=INITDB_SECONDS,
        )
        if code != 0:
            raise ServerStartError(f"{argv[0]} failed with exit code {code}. Its log says:\n{self._log_tail()}")

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        answer = subprocess.run([self._programs.postgres, "--version"], capture_output=True, text=True, check=True)
        this = answer.stdout.split()[2].partition(".")[0]
        if made_by != this:
            raise WrongPostgresVersionError(
                f"{self.data} was made by PostgreSQL {made_by}, and {self._programs.postgres} is version {this}. "
                f"To keep the data, set PG_BIN to the programs of PostgreSQL {made_by}; "
                f"to begin anew, remove the folder {self.folder}."
            )

    def _clear_leftovers(self) -> None:
        """Wait for a predecessor that is still ending, and forget the note of one that is long gone.

        PostgreSQL itself believes that note as soon as any process happens to have the number that it names.
        """
        note = self.data / "postmaster.pid"
        if sys.platform != "linux" or not note.exists():
            return
        deadline = time.monotonic() + LEFTOVER_SECONDS
        while others := processes.processes_in(self.data):
            if time.monotonic() > deadline:
                raise FolderInUseError(f"processes {sorted(others)} still work in {self.data}")
            time.sleep(POLL_SECONDS)
        note.unlink(missing_ok=True)

    def _is_ready(self) -> bool:
        lines = self._note()
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def _children(self) -> set[int]:
        return processes.processes_in(self.data) - {self.pid}

    def _end_children(self) -> None:
        if self._process is None or not self.data.exists():
            return
        deadline = time.monotonic() + LEFTOVER_SECONDS
        while (children := self._children()) and time.monotonic() < deadline:
            processes.send(signal.SIGKILL, children)
            time.sleep(POLL_SECONDS)
        self._free_shared_memory()

    def _free_shared_memory(self) -> None:
        """The kernel keeps a killed server's segment until somebody removes it; its id is in the note."""
        lines = self._note()
        if sys.platform == "linux" and len(lines) > 6 and lines[0] == str(self.pid):
            with suppress(ValueError, IndexError):
                ctypes.CDLL(None).shmctl(int(lines[6].split()[1]), IPC_RMID, None)

    def _note(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []


def _remove(cluster: Path) -> None:
    """Remove an unfinished cluster. A program that was making it, and lost its parent, may still be at work."""
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while cluster.exists() and time.monotonic() < deadline:
        processes.send(signal.SIGKILL, processes.processes_in(cluster))
        shutil.rmtree(cluster, ignore_errors=True)
