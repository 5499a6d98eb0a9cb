"""Reasons and addresses as people read them: with what helps, and without anything secret."""

from __future__ import annotations

import asyncio
import socket

import asyncpg
import pytest
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as RedisConnectionError

from service.doctor.finding import Unseen
from service.doctor.looking import Looks, address_of, reason_of

SECRET = "s3cret"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (f"postgresql://ann:{SECRET}@db.example:5432/shop?password={SECRET}", "db.example:5432/shop"),
        (f"redis://:{SECRET}@[::1]:6379/0", "[::1]:6379/0"),
        (f"redis://:{SECRET}@host:{SECRET}/0", "an address that cannot be read"),
        (f"unix:///run/valkey.sock?password={SECRET}", "/run/valkey.sock"),
        ("postgresql://", "a local socket"),
    ],
)
def test_an_address_has_no_user_no_password_and_no_parameters(url: str, address: str) -> None:
    assert address_of(url) == address


def test_reasons_are_in_words_and_quote_servers_only() -> None:
    refused = RedisConnectionError(f"Error 111 connecting to {SECRET}")
    refused.__cause__ = ConnectionRefusedError(111, f"Connect call failed ({SECRET})")
    assert reason_of(refused) == "Connection refused"
    assert reason_of(TimeoutError()) == "no answer in time"
    assert reason_of(AuthenticationError("WRONGPASS")) == "WRONGPASS"
    assert reason_of(asyncpg.InvalidPasswordError("no password for ann")) == "no password for ann"
    assert reason_of(ValueError(f"port {SECRET} is no number")) == "its URL cannot be read"
    assert reason_of(socket.gaierror(-2, "Name or service not known")) == "its host's name is not known"
    assert reason_of(asyncpg.InterfaceError(f"connection {SECRET} is closed")) == "InterfaceError"


async def test_a_look_that_takes_too_long_costs_its_share_and_the_next_ones_what_is_left() -> None:
    looks = Looks(each_seconds=0.01, all_seconds=0.01)
    assert await looks.at(asyncio.sleep, 60) == Unseen("no answer in time")
    assert isinstance(await looks.at(asyncio.sleep, 0), Unseen)
