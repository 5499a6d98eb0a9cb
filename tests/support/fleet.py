"""Replicas for several tests of one module. For a single test there is the fixture `replicas`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.service_process import ServiceProcess


@contextmanager
def fleet(folder: Path, count: int, **environment: str) -> Iterator[list[ServiceProcess]]:
    """So many live replicas; ``environment`` names their DATABASE_URL and REDIS_URL. Killed at the end."""
    started = [ServiceProcess(folder / f"replica-{number}.log", environment, is_forked=True) for number in range(count)]
    try:
        for replica in started:
            replica.launch()
        yield [replica.wait_until_live() for replica in started]
    finally:
        for replica in started:
            replica.kill()


def pause_all(replicas: Iterable[ServiceProcess]) -> None:
    for replica in replicas:
        replica.pause()


def resume_all(replicas: Iterable[ServiceProcess]) -> None:
    for replica in replicas:
        replica.resume()
