"""What stands between SIGTERM and the server."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from service.api.draining import drained_on_sigterm
from tests.support.waiting import eventually


@pytest.fixture
def stops() -> Iterator[list[int]]:
    """The signals that reached the server."""
    reached: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        reached.append(number)

    before = signal.signal(signal.SIGTERM, stop)
    yield reached
    signal.signal(signal.SIGTERM, before)


async def test_the_probe_turns_first_and_the_server_hears_of_it_after_the_delay(stops: list[int]) -> None:
    begun = asyncio.Event()
    with drained_on_sigterm(begun.set, drain_seconds=0.05):
        signal.raise_signal(signal.SIGTERM)
        assert begun.is_set()
        assert stops == []
        await eventually(lambda: stops)
    assert stops == [signal.SIGTERM]


async def test_with_no_delay_the_server_hears_of_it_at_once(stops: list[int]) -> None:
    with drained_on_sigterm(lambda: None, drain_seconds=0):
        signal.raise_signal(signal.SIGTERM)
        assert stops == [signal.SIGTERM]


async def test_whoever_sends_it_twice_does_not_want_to_wait(stops: list[int]) -> None:
    with drained_on_sigterm(lambda: None, drain_seconds=3600):
        signal.raise_signal(signal.SIGTERM)
        assert stops == []
        signal.raise_signal(signal.SIGTERM)
        assert stops == [signal.SIGTERM]


async def test_the_servers_own_handler_is_put_back(stops: list[int]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with drained_on_sigterm(lambda: None, drain_seconds=1):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
    assert stops == []


async def test_without_a_server_nothing_is_touched() -> None:
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    with drained_on_sigterm(lambda: None, drain_seconds=1):
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
