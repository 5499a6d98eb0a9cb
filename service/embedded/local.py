"""The servers of `make run`: what they keep lies in one folder, survives, and is used by one run at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from service.embedded.errors import EmbeddedError, FolderInUseError
from service.embedded.postgres import Postgres
from service.embedded.server import Server
from service.embedded.valkey import Valkey

DATABASE = "aside"


class LocalStack:
    """A durable PostgreSQL with a database `aside`, owned by a role of that name, and a Valkey; each with a password.

    Either can be left out, where the caller has a URL already. Raises EmbeddedError with a text for the user.
    """

    def __init__(self, folder: Path, *, with_postgres: bool = True, with_valkey: bool = True) -> None:
        self.folder = folder.absolute()
        self.postgres: Postgres | None = None
        self.valkey: Valkey | None = None
        self._with_postgres = with_postgres
        self._with_valkey = with_valkey
        self._lock: IO[str] | None = None

    @property
    def is_wanted(self) -> bool:
        """False where there is nothing to start."""
        return self._with_postgres or self._with_valkey

    def start(self) -> Self:
        """Start both at the same time, and wait for both. If one fails, neither is left running."""
        self._take_folder()
        try:
            password = self._password()
            # Valkey first: it loads while PostgreSQL's programs are at work.
            if self._with_valkey:
                self.valkey = Valkey(self._subfolder("valkey"), password=password, options={"maxmemory": "256mb"})
                self.valkey.launch()
            if self._with_postgres:
                self.postgres = self._make_postgres(password)
                self.postgres.launch()
            for server in self._servers():
                server.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop both in order, at the same time, and give the folder back. Does nothing the second time."""
        for server in self._servers():
            server.request_stop()
        for server in self._servers():
            server.stop()
        self.postgres = self.valkey = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _servers(self) -> list[Server]:
        return [server for server in (self.valkey, self.postgres) if server is not None]

    def _make_postgres(self, password: str) -> Postgres:
        return Postgres(
            self._subfolder("postgres"),
            password=password,
            user=DATABASE,
            database=DATABASE,
            owned=self.folder,
            first_sql=[
                f"CREATE ROLE {DATABASE} LOGIN PASSWORD '{password}'",
                f"CREATE DATABASE {DATABASE} OWNER {DATABASE}",
            ],
        )

    def _take_folder(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            lock = (self.folder / "lock").open("a+")
        except OSError as error:
            raise EmbeddedError(f"the folder {self.folder} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            owner = lock.read().strip()
            lock.close()
            raise FolderInUseError(
                f"Aside runs already with the data in {self.folder} (process {owner or 'unknown'}). "
                "Stop that one first, or set DATABASE_URL and REDIS_URL to servers of your own."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _password(self) -> str:
        """Generated once, complete before it has its name, readable by its owner only."""
        path = self.folder / "password"
        with suppress(FileNotFoundError):
            return path.read_text().strip()
        if (self.folder / "postgres" / "data").exists():
            raise EmbeddedError(
                f"{path} is missing, and the data is locked with it; to begin anew: rm -r {self.folder}"
            )
        draft = self.folder / "password.draft"
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(24))
        draft.rename(path)
        return path.read_text()

    def _subfolder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(mode=0o700, exist_ok=True)
        for log in folder.glob("*.log"):
            log.unlink()
        return folder
