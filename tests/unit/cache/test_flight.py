"""Per-key locks: one leads, and its end wakes all."""

from __future__ import annotations

import asyncio

from service.cache.flight import Flights
from tests.support.polling import turns


async def test_one_of_all_leads_and_the_next_only_after_it():
    flights = Flights()
    assert flights.lead("a")
    assert not flights.lead("a")
    assert flights.lead("b")
    flights.end("a")
    assert flights.lead("a")


async def test_the_end_of_a_flight_wakes_all_that_wait_at_once():
    flights = Flights()
    flights.lead("a")
    waiting = [asyncio.ensure_future(flights.wait("a", 5)) for _ in range(100)]
    await turns()
    assert not any(each.done() for each in waiting)
    flights.end("a")
    assert await asyncio.gather(*waiting) == [True] * 100


async def test_nobody_waits_where_nobody_leads():
    assert await Flights().wait("a", 0)


async def test_whoever_waits_too_long_is_told_and_the_flight_goes_on():
    flights = Flights()
    flights.lead("a")
    assert not await flights.wait("a", 0.001)
    assert not flights.lead("a")


async def test_a_cancelled_waiter_harms_nobody():
    flights = Flights()
    flights.lead("a")
    cancelled, other = (asyncio.ensure_future(flights.wait("a", 5)) for _ in range(2))
    await turns()
    cancelled.cancel()
    await turns()
    assert not other.done()
    flights.end("a")
    assert await other


async def test_who_waits_for_a_flight_does_not_wait_for_the_next_one_too():
    flights = Flights()
    flights.lead("a")
    waiting = asyncio.ensure_future(flights.wait("a", 5))
    await turns()
    flights.end("a")
    flights.lead("a")
    assert await waiting


async def test_keys_are_forgotten_when_their_flight_ends():
    flights = Flights()
    for key in ("a", "b"):
        flights.lead(key)
    assert len(flights) == 2
    flights.end("a")
    flights.end("b")
    assert len(flights) == 0
