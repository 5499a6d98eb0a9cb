"""Coalescing: who joins which batch, and who learns of its end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from service.cache.batch import Batch
from tests.support.polling import turns


class Wire:
    """A slot that sends when a test says so. ``sent`` are the batches so far."""

    def __init__(self) -> None:
        self.sent: list[list[str]] = []
        self.answers: list[asyncio.Future[Sequence[str]]] = []

    async def __call__(self, items: list[str]) -> Sequence[str]:
        self.sent.append(items)
        answer: asyncio.Future[Sequence[str]] = asyncio.get_running_loop().create_future()
        self.answers.append(answer)
        return await answer

    def answer(self, version: str = "1") -> None:
        """Answer the latest batch: each item with this version."""
        self.answers[-1].set_result([f"{item}{version}" for item in self.sent[-1]])


def batch_of(*wires: Wire, max_size: int = 10) -> Batch[str, str]:
    return Batch(wires, max_size=max_size)


@pytest.fixture
async def failures() -> list[dict[str, Any]]:
    """What the loop is told of failures that have no other owner."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    return found


async def test_what_waits_in_one_turn_goes_out_together_and_comes_back_in_order():
    wire = Wire()
    batch = batch_of(wire)
    waiting = [batch.submit(item) for item in "abc"]
    await turns()
    assert wire.sent == [["a", "b", "c"]]
    wire.answer()
    assert await asyncio.gather(*waiting) == ["a1", "b1", "c1"]


async def test_equal_items_that_wait_together_are_sent_once():
    wire = Wire()
    batch = batch_of(wire)
    waiting = [batch.submit(item) for item in "aba"]
    await turns()
    assert wire.sent == [["a", "b"]]
    wire.answer()
    assert await asyncio.gather(*waiting) == ["a1", "b1", "a1"]


async def test_nobody_joins_a_batch_that_was_sent_before_it_came():
    """Race R20: the batch under way may bring back what was true before this request began."""
    wire = Wire()
    batch = batch_of(wire)
    first = batch.submit("a")
    await turns()
    second = batch.submit("a")
    await turns()
    assert wire.sent == [["a"]]
    wire.answer("1")
    assert await first == "a1"
    await turns()
    assert wire.sent == [["a"], ["a"]]
    assert not second.done()
    wire.answer("2")
    assert await second == "a2"


async def test_an_idle_slot_sends_while_another_is_busy():
    one, two = Wire(), Wire()
    batch = batch_of(one, two)
    first = batch.submit("a")
    await turns()
    second = batch.submit("b")
    await turns()
    assert sorted(one.sent + two.sent) == [["a"], ["b"]]
    one.answer()
    two.answer()
    assert await asyncio.gather(first, second) == ["a1", "b1"]


async def test_with_no_idle_slot_the_flood_becomes_one_larger_batch():
    wire = Wire()
    batch = batch_of(wire)
    waiting = [batch.submit("a")]
    await turns()
    for item in "bcde":
        waiting.append(batch.submit(item))
        await turns(2)
    wire.answer()
    await turns()
    assert wire.sent == [["a"], ["b", "c", "d", "e"]]
    wire.answer()
    assert await asyncio.gather(*waiting) == ["a1", "b1", "c1", "d1", "e1"]


async def test_a_batch_has_at_most_its_size_and_the_first_to_come_go_first():
    wire = Wire()
    batch = batch_of(wire, max_size=2)
    waiting = [batch.submit(item) for item in "abcde"]
    for expected in (["a", "b"], ["c", "d"], ["e"]):
        await turns()
        assert wire.sent[-1] == expected
        wire.answer()
    assert await asyncio.gather(*waiting) == ["a1", "b1", "c1", "d1", "e1"]


async def test_a_batch_that_fails_fails_for_its_own_waiters_only():
    wire = Wire()
    batch = batch_of(wire)
    failing = [batch.submit(item) for item in "ab"]
    await turns()
    later = batch.submit("c")
    wire.answers[-1].set_exception(ConnectionResetError("gone"))
    await turns()
    for each in failing:
        with pytest.raises(ConnectionResetError):
            await each
    wire.answer()
    assert await later == "c1"


@pytest.mark.parametrize("values", [[], ["a"], ["a", "b", "c"]])
async def test_a_wrong_number_of_values_is_a_failure_and_never_another_items_value(values: list[str]):
    wire = Wire()
    batch = batch_of(wire)
    waiting = [batch.submit(item) for item in "ab"]
    await turns()
    wire.answers[-1].set_result(values)
    for each in waiting:
        with pytest.raises(RuntimeError, match="came back with"):
            await each


async def test_a_cancelled_waiter_harms_nobody_not_even_one_of_the_same_item(failures):
    wire = Wire()
    batch = batch_of(wire)
    cancelled, same, other = batch.submit("a"), batch.submit("a"), batch.submit("b")
    await turns()
    cancelled.cancel()
    await turns()
    wire.answer()
    assert await asyncio.gather(same, other) == ["a1", "b1"]
    assert failures == []


async def test_many_items_are_one_future_with_their_values_in_order_also_where_they_do_not_fit_into_one_batch():
    wire = Wire()
    batch = batch_of(wire, max_size=2)
    alone, many, none = batch.submit("b"), batch.submit_all(["c", "b", "a", "b"]), batch.submit_all([])
    for _ in range(2):
        await turns()
        wire.answer()
    assert await many == ["c1", "b1", "a1", "b1"]
    assert (await alone, await none) == ("b1", [])
    assert wire.sent == [["b", "c"], ["a"]]


async def test_many_items_that_fit_go_out_in_one_batch_whatever_comes_behind_them():
    """Those that come behind have to wait for the next one, not a part of these."""
    wire = Wire()
    batch = batch_of(wire, max_size=4)
    alone, many, too_many = batch.submit("b"), batch.submit_all(["c", "b", "a"]), batch.submit_all(["e", "a", "d"])
    await turns()
    assert wire.sent == [["b", "c", "a", "e"]]
    later = batch.submit_all(["b"])
    wire.answer("1")
    await turns()
    assert (await alone, await many) == ("b1", ["c1", "b1", "a1"])
    assert wire.sent[1:] == [["d", "b"]]
    assert not too_many.done()
    wire.answer("2")
    assert (await too_many, await later) == (["e1", "a1", "d2"], ["b2"])


async def test_many_items_that_were_not_sent_are_cancelled_when_all_is_closed():
    wire = Wire()
    batch = batch_of(wire)
    sent = batch.submit_all(["a", "b"])
    await turns()
    unsent = batch.submit_all(["b", "c"])
    await batch.close()
    assert sent.cancelled()
    assert unsent.cancelled()
    assert len(batch) == 0


async def test_many_items_fail_with_the_first_of_them_and_a_cancelled_future_harms_nobody(failures):
    wire = Wire()
    batch = batch_of(wire)
    failing = batch.submit_all(["a", "b"])
    await turns()
    wire.answers[-1].set_exception(ConnectionResetError("gone"))
    with pytest.raises(ConnectionResetError):
        await failing
    cancelled, other = batch.submit_all(["a", "b"]), batch.submit("b")
    cancelled.cancel()
    await turns()
    wire.answer()
    assert await other == "b1"
    assert failures == []


async def test_a_waiter_without_a_future_is_told_once_with_the_others_of_its_item(failures):
    wire = Wire()
    batch = batch_of(wire)
    told: list[tuple[str | None, BaseException | None]] = []
    batch.notify("a", lambda value, error: told.append((value, error)))
    same = batch.submit("a")
    assert told == []
    await turns()
    wire.answer()
    assert await same == "a1"
    gone = ConnectionResetError("gone")
    batch.notify("a", lambda value, error: told.append((value, error)))
    await turns()
    wire.answers[-1].set_exception(gone)
    await turns()
    assert told == [("a1", None), (None, gone)]
    assert failures == []


async def test_a_waiter_that_fails_is_reported_and_takes_nothing_from_the_others(failures):
    wire = Wire()
    batch = batch_of(wire)

    def fail(value: str | None, error: BaseException | None) -> None:
        raise ZeroDivisionError

    before = batch.submit("a")
    for item in "ab":
        batch.notify(item, fail)
    after = [batch.submit(item) for item in "abc"]
    await turns()
    wire.answer()
    assert await asyncio.gather(before, *after) == ["a1", "a1", "b1", "c1"]
    assert [type(failure["exception"]) for failure in failures] == [ZeroDivisionError, ZeroDivisionError]


async def test_when_all_waiters_are_cancelled_the_exchange_still_ends_and_the_slot_serves_on():
    wire = Wire()
    batch = batch_of(wire)
    batch.submit("a").cancel()
    await turns()
    wire.answer()
    later = batch.submit("b")
    await turns()
    wire.answer()
    assert await later == "b1"


async def test_closing_cancels_those_that_wait_and_the_exchange_under_way():
    wire = Wire()
    batch = batch_of(wire)
    sent = batch.submit("a")
    await turns()
    unsent = batch.submit("b")
    await batch.close()
    assert sent.cancelled()
    assert unsent.cancelled()
    assert wire.answers[-1].cancelled()
