"""Servers for one test run: in temporary folders, quick and unsafe, gone without a trace."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from service.embedded.postgres import Postgres
from service.embedded.valkey import Valkey

PREFIX = "aside-private-"
TEST_SETTINGS = {"shared_buffers": "32MB", "max_connections": "200", "log_checkpoints": "off"}


@contextmanager
def private_postgres(*, settings: Mapping[str, str] | None = None, is_durable: bool = False) -> Iterator[Postgres]:
    """A started PostgreSQL whom everyone on this machine may use; killed and removed at the end."""
    with private_folder() as folder:
        server = Postgres(folder, is_durable=is_durable, settings={**TEST_SETTINGS, **(settings or {})})
        try:
            yield server.start()
        finally:
            server.kill()


@contextmanager
def private_valkey(*, options: Mapping[str, str] | None = None) -> Iterator[Valkey]:
    """A started Valkey; killed and removed at the end."""
    with private_folder() as folder:
        server = Valkey(folder, options=options)
        try:
            yield server.start()
        finally:
            server.kill()


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder that vanishes at the end; or, if this process is killed, when the next one asks for a folder."""
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix="aside-new-"))
    try:
        with (folder / "alive").open("w") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX)
            # Given its name only now: a neighbour that sweeps must not meet it unlocked.
            folder = folder.rename(folder.with_name(folder.name.replace("aside-new-", PREFIX)))
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep() -> None:
    """Remove the folders whose makers are dead: their locks are free."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError), (folder / "alive").open("r+") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
