"""From rows to bytes for the cache."""

from __future__ import annotations

import pytest

from service.cache.codec import decode
from service.cache.loads import Loads, new_token
from service.cache.policy import Policy
from service.cache.store import NO_GENERATION
from service.domain.row import Coverage, VersionedRow
from tests.support.memory_engine import GENERATION, World

NAME = "country:JP"
POLICY = Policy(ttl_seconds=100, negative_ttl_seconds=10, jitter=0.5, stale_if_error_seconds=50)


def loads_of(world: World, *, draw: float = 0.0) -> Loads:
    return Loads(world.replica().store, world.rows, draw=lambda: draw)


async def test_a_load_is_timed_and_brings_the_coverage_only_when_asked():
    world = World()
    row = world.rows.commit(NAME, b"1")
    world.rows.covered = True
    loads = loads_of(world)
    loaded = await loads.load(NAME)
    assert (loaded.row, loaded.coverage) == (row, None)
    assert loaded.cost_ms > 0
    assert (await loads.load_with_coverage(NAME)).coverage == Coverage(covered=True, wait_seconds=0.002)


@pytest.mark.parametrize(("draw", "fresh_ms"), [(0.0, 100_000), (1.0, 50_000)])
def test_an_install_is_the_row_as_an_entry_written_now(draw: float, fresh_ms: int):
    world = World()
    row = VersionedRow(7, b"1", 11)
    install = loads_of(world, draw=draw).install(NAME, POLICY, row, generation=GENERATION, cost_ms=0.2)
    entry = decode(install.payload, NAME)
    assert entry is not None
    now_ms = world.clock()
    assert (entry.version, entry.generation, entry.cost_ms, entry.body) == (7, GENERATION, 1, b"1")
    assert (entry.written_at_ms, entry.fresh_until_ms) == (now_ms, now_ms + fresh_ms)
    assert entry.stale_until_ms == install.stale_until_ms == entry.fresh_until_ms + 50_000


def test_a_tombstone_becomes_a_negative_entry_with_its_own_lifetime():
    world = World()
    install = loads_of(world).install(NAME, POLICY, VersionedRow(7, None), generation=GENERATION, cost_ms=5)
    entry = decode(install.payload, NAME)
    assert entry is not None
    assert entry.body is None
    assert entry.fresh_until_ms == world.clock() + 10_000


def test_a_change_tells_of_the_row_with_its_body():
    change = loads_of(World()).change(NAME, POLICY, VersionedRow(7, b"1"), generation=GENERATION, cost_ms=5, renew=True)
    assert (change.version, change.generation, change.renew) == (7, GENERATION, True)
    assert change.install is not None


@pytest.mark.parametrize(
    ("row", "generation"), [(VersionedRow(0, None), GENERATION), (VersionedRow(7, b"1"), NO_GENERATION)]
)
def test_what_cannot_be_compared_drops_whatever_is_there(row: VersionedRow, generation: bytes):
    change = loads_of(World()).change(NAME, POLICY, row, generation=generation, cost_ms=5)
    assert (change.generation, change.install) == (NO_GENERATION, None)


def test_no_two_tokens_are_alike_and_none_has_a_space():
    tokens = {new_token() for _ in range(1_000)}
    assert len(tokens) == 1_000
    assert all(len(token.split()) == 1 for token in tokens)
