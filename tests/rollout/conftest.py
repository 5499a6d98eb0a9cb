"""One stage for the short forms: the servers of the session, a load balancer, and places for three replicas."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.embedded import Valkey
from tests.rollout.release import Release, previous
from tests.support.valkey_commands import command


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The release before. Where this checkout has no history, this fails, and says so."""
    return previous(tmp_path_factory.mktemp("old"))


@pytest.fixture
def emptied(valkey: Valkey) -> Iterator[Valkey]:
    command(valkey.url, "FLUSHALL")
    yield valkey
    command(valkey.url, "FLUSHALL")
