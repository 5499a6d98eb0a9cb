"""What every store promises the engine, whatever it is made of: leases, fills, applies."""

from __future__ import annotations

import pytest

from service.cache.entry import Lease
from service.cache.store import Change, Effect, Filled
from tests.contract.benches import GENERATION, LEASE_MS, Bench, drop, dropping_anything, entry

NAME = "country:JP"
FOREIGN = b"V7 of some other format\n{}"


def replacing(bench: Bench, version: int, *, renew: bool = False, generation: bytes = GENERATION) -> Change:
    install = entry(NAME, version, bench.store.now_ms(), generation=generation)
    return Change(NAME, version, generation, install, renew)


CLOCK_ERROR_MS = 50
"""How far the store's idea of the server's clock may be off."""


def hold(bench: Bench, version: int, *, generation: bytes = GENERATION) -> bytes:
    """The cache holds this version of the key; its bytes."""
    payload = entry(NAME, version, bench.store.now_ms(), generation=generation).payload
    bench.put(NAME, payload, ttl_ms=60_000)
    return payload


# -- read ------------------------------------------------------------------------------------------------------------


async def test_a_read_brings_the_bytes_and_the_generation_of_the_heartbeat(bench: Bench):
    payload = hold(bench, 1)
    assert await bench.store.read(NAME) == (payload, GENERATION)
    assert bench.store.generation_of(NAME) == GENERATION


async def test_a_read_of_an_absent_key_brings_nothing_but_the_generation(bench: Bench):
    assert await bench.store.read(NAME) == (None, GENERATION)


async def test_without_a_heartbeat_the_cache_is_off(bench: Bench):
    payload = hold(bench, 1)
    bench.fall_silent()
    assert await bench.store.read(NAME) == (payload, None)


async def test_with_the_heartbeat_of_another_server_the_cache_is_off(bench: Bench):
    payload = hold(bench, 1)
    bench.beat_of_another_server()
    assert await bench.store.read(NAME) == (payload, None)


async def test_data_of_another_type_at_our_key_reads_as_nothing(bench: Bench):
    bench.put_list(NAME)
    assert await bench.store.read(NAME) == (None, GENERATION)


# -- lease -----------------------------------------------------------------------------------------------------------


async def test_an_absent_key_is_leased_for_the_lease_time_and_with_floor_0(bench: Bench):
    leased = await bench.store.lease(NAME, b"t1")
    assert leased == (Lease(b"t1", GENERATION), (None, GENERATION))
    assert bench.get(NAME) == b"L1 t1 0\n"
    assert 0 < (bench.ttl_ms(NAME) or 0) <= LEASE_MS


async def test_a_key_that_somebody_else_has_leased_is_busy(bench: Bench):
    await bench.store.lease(NAME, b"t1")
    assert await bench.store.lease(NAME, b"t2") == (None, (None, GENERATION))
    assert bench.get(NAME) == b"L1 t1 0\n"


async def test_a_token_takes_a_key_once(bench: Bench):
    await bench.store.lease(NAME, b"t1")
    await bench.store.apply(drop(NAME, 7))
    assert await bench.store.lease(NAME, b"t1") == (None, (None, GENERATION))
    assert bench.get(NAME) == b"L1 t1 7\n"


async def test_a_reader_that_wants_a_lease_gets_the_value_that_came_meanwhile(bench: Bench):
    payload = hold(bench, 1)
    assert await bench.store.lease(NAME, b"t1") == (None, (payload, GENERATION))


async def test_a_writer_that_wants_a_lease_gets_none_where_a_value_is_and_not_its_bytes(bench: Bench):
    payload = hold(bench, 1)
    assert await bench.store.lease(NAME, b"t1", for_write=True) == (None, (None, GENERATION))
    assert bench.get(NAME) == payload


@pytest.mark.parametrize("what", ["another generation", "another format", "another type"])
async def test_what_is_no_entry_of_now_gives_way_to_a_lease(bench: Bench, what: str):
    match what:
        case "another generation":
            hold(bench, 9, generation=b"g.0")
        case "another format":
            bench.put(NAME, FOREIGN)
        case _:
            bench.put_list(NAME)
    assert (await bench.store.lease(NAME, b"t1")).lease == Lease(b"t1", GENERATION)
    assert bench.get(NAME) == b"L1 t1 0\n"


async def test_without_a_heartbeat_nothing_is_leased(bench: Bench):
    bench.fall_silent()
    assert await bench.store.lease(NAME, b"t1") == (None, (None, None))
    assert not bench.exists(NAME)


async def test_under_the_heartbeat_of_another_server_nobody_gets_a_lease(bench: Bench):
    bench.beat_of_another_server()
    assert await bench.store.lease(NAME, b"t1") == (None, (None, None))


# -- fill ------------------------------------------------------------------------------------------------------------


async def fill(bench: Bench, token: bytes, version: int) -> Filled:
    return await bench.store.fill(NAME, token, version, entry(NAME, version, bench.store.now_ms()))


async def test_a_fill_under_a_live_lease_is_stored_until_its_time(bench: Bench):
    await bench.store.lease(NAME, b"t1")
    assert await fill(bench, b"t1", 3) == (True, True)
    assert (bench.get(NAME) or b"").startswith(b"V1 3 ")
    assert LEASE_MS < (bench.ttl_ms(NAME) or 0) <= 60_000 + CLOCK_ERROR_MS


async def test_a_fill_of_the_very_version_of_the_floor_is_stored(bench: Bench):
    await bench.store.lease(NAME, b"t1")
    await bench.store.apply(drop(NAME, 3))
    assert (await fill(bench, b"t1", 3)).stored


async def test_a_fill_below_the_floor_is_refused_and_its_lease_goes(bench: Bench):
    await bench.store.lease(NAME, b"t1")
    await bench.store.apply(drop(NAME, 4))
    assert bench.get(NAME) == b"L1 t1 4\n"
    assert not (await fill(bench, b"t1", 3)).stored
    assert bench.get(NAME) is None


async def test_a_fill_with_a_foreign_token_leaves_the_lease_to_its_holder(bench: Bench):
    await bench.store.lease(NAME, b"t1")
    assert not (await fill(bench, b"t2", 3)).stored
    assert bench.get(NAME) == b"L1 t1 0\n"


async def test_a_fill_whose_lease_is_gone_is_refused(bench: Bench):
    await bench.store.lease(NAME, b"t1")
    bench.evict(NAME)
    assert not (await fill(bench, b"t1", 3)).stored
    assert not bench.exists(NAME)


async def test_a_fill_under_the_lease_of_another_is_refused(bench: Bench):
    await bench.store.lease(NAME, b"t1")
    assert not (await fill(bench, b"t2", 3)).stored
    assert bench.get(NAME) == b"L1 t1 0\n"


async def test_a_fill_never_replaces_a_value(bench: Bench):
    payload = hold(bench, 1)
    assert not (await fill(bench, b"t1", 3)).stored
    assert bench.get(NAME) == payload


async def test_a_fill_leaves_data_of_another_type_alone(bench: Bench):
    bench.put_list(NAME)
    assert not (await fill(bench, b"t1", 3)).stored
    assert bench.exists(NAME)


# -- apply -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_body", [False, True])
async def test_an_apply_onto_nothing_leaves_nothing(bench: Bench, with_body: bool):  # noqa: FBT001 (a parameter)
    change = replacing(bench, 5) if with_body else drop(NAME, 5)
    assert (await bench.store.apply(change)).effect is Effect.ABSENT
    assert not bench.exists(NAME)


async def test_an_apply_raises_the_floor_of_a_lease_and_never_lowers_it(bench: Bench):
    await bench.store.lease(NAME, b"t1")
    assert (await bench.store.apply(replacing(bench, 5))).effect is Effect.RAISED
    assert (await bench.store.apply(drop(NAME, 4))).effect is Effect.RAISED
    assert bench.get(NAME) == b"L1 t1 5\n"


async def test_a_lease_whose_floor_is_raised_keeps_its_expiry(bench: Bench):
    bench.put(NAME, b"L1 t1 0\n", ttl_ms=900)
    await bench.store.apply(drop(NAME, 5))
    assert 0 < (bench.ttl_ms(NAME) or 0) <= 900


@pytest.mark.parametrize(
    ("held", "told", "mode", "effect"),
    [
        (5, 6, "drop", Effect.DROPPED),
        (5, 5, "drop", Effect.KEPT),
        (5, 4, "drop", Effect.KEPT),
        (5, 6, "replace", Effect.REPLACED),
        (5, 5, "replace", Effect.KEPT),
        (5, 4, "replace", Effect.KEPT),
        (5, 6, "renew", Effect.REPLACED),
        (5, 5, "renew", Effect.REPLACED),
        (5, 4, "renew", Effect.KEPT),
        (9, 10, "drop", Effect.DROPPED),
        (10, 9, "drop", Effect.KEPT),
    ],
)
async def test_a_value_learns_of_versions(bench: Bench, held: int, told: int, mode: str, effect: Effect):
    hold(bench, held)
    left = {Effect.DROPPED: None, Effect.KEPT: held}.get(effect, told)
    change = drop(NAME, told) if mode == "drop" else replacing(bench, told, renew=mode == "renew")
    assert (await bench.store.apply(change)).effect is effect
    assert (bench.get(NAME) or b"").startswith(b"" if left is None else b"V1 %d " % left)
    assert bench.exists(NAME) is (left is not None)


async def test_a_renewal_writes_the_new_lifetimes(bench: Bench):
    payload = hold(bench, 5)
    bench.put(NAME, payload, ttl_ms=700)
    await bench.store.apply(replacing(bench, 5, renew=True))
    assert (bench.ttl_ms(NAME) or 0) > 700


async def test_a_negative_entry_is_a_versioned_value_as_any_other(bench: Bench):
    negative = entry(NAME, 5, bench.store.now_ms(), body=None)
    bench.put(NAME, negative.payload)
    assert (await bench.store.apply(drop(NAME, 5))).effect is Effect.KEPT
    assert (await bench.store.apply(drop(NAME, 6))).effect is Effect.DROPPED


@pytest.mark.parametrize("generation", [b"g.0", b"g.2"])
async def test_an_entry_of_another_generation_is_not_comparable_and_is_dropped(bench: Bench, generation: bytes):
    hold(bench, 99, generation=generation)
    assert (await bench.store.apply(replacing(bench, 5))).effect is Effect.DROPPED
    assert not bench.exists(NAME)


async def test_an_apply_that_knows_no_generation_drops_whatever_is_there(bench: Bench):
    hold(bench, 99)
    assert (await bench.store.apply(dropping_anything(NAME, 1))).effect is Effect.DROPPED


@pytest.mark.parametrize("what", ["format", "type"])
async def test_an_apply_removes_what_is_not_ours_from_our_key(bench: Bench, what: str):
    if what == "format":
        bench.put(NAME, FOREIGN)
    else:
        bench.put_list(NAME)
    assert (await bench.store.apply(replacing(bench, 5))).effect is Effect.DROPPED
    assert not bench.exists(NAME)


async def test_an_apply_needs_no_heartbeat(bench: Bench):
    hold(bench, 5)
    bench.fall_silent()
    assert (await bench.store.apply(drop(NAME, 6))).effect is Effect.DROPPED


# -- does it count ---------------------------------------------------------------------------------------------------


async def test_with_one_server_an_apply_and_a_fill_count_without_a_heartbeat(bench: Bench):
    bench.fall_silent()
    assert (await bench.store.apply(drop(NAME, 6))).counts
    assert (await fill(bench, b"t1", 1)).counts


async def test_where_a_server_may_be_replaced_only_one_that_is_vouched_for_counts(bench: Bench):
    store = bench.failing_over()
    assert (await store.apply(drop(NAME, 6))).counts
    bench.beat_of_another_server()
    assert not (await store.apply(drop(NAME, 6))).counts
    bench.fall_silent()
    assert not (await store.apply(drop(NAME, 6))).counts
    assert not (await store.fill(NAME, b"t1", 1, entry(NAME, 1, store.now_ms()))).counts


# -- the rest --------------------------------------------------------------------------------------------------------


async def test_one_of_all_claims_the_early_refresh_of_a_key_until_it_is_released(bench: Bench):
    assert await bench.store.claim_refresh(NAME, b"r1")
    assert not await bench.store.claim_refresh(NAME, b"r2")
    await bench.store.release_refresh(NAME)
    assert await bench.store.claim_refresh(NAME, b"r2")
    assert not bench.exists(NAME)


async def test_an_abandoned_lease_is_gone(bench: Bench):
    await bench.store.lease(NAME, b"t1")
    await bench.store.abandon(NAME)
    assert not bench.exists(NAME)
