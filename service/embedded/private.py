"""Servers for one test run: in temporary folders, quick and unsafe, gone without a trace."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from service.embedded.postgres import Postgres
from service.embedded.valkey import Valkey

PREFIX = "aside-private-"
MEMORY = Path("/dev/shm")  # noqa: S108 (folders in it are made as in any other that is open to all)
_LEAST_FREE_BYTES = 4 << 30
TEST_SETTINGS = {
    "shared_buffers": "32MB",
    "max_connections": "200",
    "log_checkpoints": "off",
    "dynamic_shared_memory_type": "mmap",  # in its folder: of one that is killed nothing is left behind
}


@contextmanager
def private_postgres(*, settings: Mapping[str, str] | None = None, is_durable: bool = False) -> Iterator[Postgres]:
    """A started PostgreSQL whom everyone on this machine may use; killed and removed at the end.

    A database is hundreds of files: where nothing of it has to be durable, they lie in memory, if there is room.
    """
    with private_folder(inside=None if is_durable else _memory()) as folder:
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
def private_folder(*, inside: Path | None = None) -> Iterator[Path]:
    """A folder that vanishes at the end; or, if this process is killed, when the next one asks for a folder.

    ``inside``: another folder than that for temporary files.
    """
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix="aside-new-", dir=inside))
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
    for folder in (each for place in (Path(tempfile.gettempdir()), MEMORY) for each in place.glob(f"{PREFIX}*")):
        with suppress(OSError), (folder / "alive").open("r+") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def _memory() -> Path | None:
    """None where there is little of it: containers often have 64 MiB."""
    try:
        room = min(shutil.disk_usage(MEMORY).free, os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (OSError, ValueError):
        return None
    return MEMORY if room >= _LEAST_FREE_BYTES and os.access(MEMORY, os.W_OK | os.X_OK) else None
