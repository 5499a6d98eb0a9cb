"""One stage for the short forms: the servers of the session, a load balancer, and places for three replicas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.embedded import Valkey
from tests.rollout.release import Release, is_there, previous
from tests.support.valkey_commands import command


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A tarball, or a shallow clone, has no release before: left out, as the head of the run says."""
    if not is_there():
        here = Path(__file__).parent
        wanting = [i for i in items if here in i.path.parents and "old" in getattr(i, "fixturenames", ())]
        config.hook.pytest_deselected(items=wanting)
        items[:] = [item for item in items if item not in wanting]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The release before."""
    return previous(tmp_path_factory.mktemp("old"))


@pytest.fixture
def emptied(valkey: Valkey) -> Iterator[Valkey]:
    command(valkey.url, "FLUSHALL")
    yield valkey
    command(valkey.url, "FLUSHALL")
