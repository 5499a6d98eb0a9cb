"""Writes the metrics out for a scrape: of this process, or of all workers where they share a folder of values."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.values import MutexValue, ValueClass


def multiprocess_directory() -> Path | None:
    """Where the workers keep their values, or None in a process that is alone.

    prometheus_client decides this once, when it is imported. Raises RuntimeError if the variable came too late: every
    scrape would otherwise show one silent zero after the other.
    """
    directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not directory:
        return None
    if ValueClass is MutexValue:
        raise RuntimeError("PROMETHEUS_MULTIPROC_DIR must be set before prometheus_client is imported")
    return Path(directory)


def expose(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """The metrics as text, and its media type: OpenMetrics where ``accept`` asks for it, otherwise Prometheus's own."""
    encode, media_type = choose_encoder(accept)
    return encode(collectable(registry)), media_type


def collectable(registry: CollectorRegistry) -> CollectorRegistry:
    """What to collect the metrics from: the registry itself, or the values of all workers."""
    directory = multiprocess_directory()
    if directory is None:
        return registry
    _forget_dead_workers(directory)
    of_all = CollectorRegistry()
    MultiProcessCollector(of_all, path=str(directory))  # type: ignore[no-untyped-call]
    return of_all


def _forget_dead_workers(directory: Path) -> None:
    """A gauge of what is under way must not count what a killed worker had under way."""
    for process_id in {file.stem.rpartition("_")[2] for file in directory.glob("gauge_live*_*.db")}:
        if process_id.isdecimal() and not _is_alive(int(process_id)):
            with suppress(FileNotFoundError):  # another worker, or another scrape, was quicker
                mark_process_dead(int(process_id), path=str(directory))  # type: ignore[no-untyped-call]


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
