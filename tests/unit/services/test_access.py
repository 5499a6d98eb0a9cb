"""Who is let in by the keys that a process knows, and when it knows too little to let anybody in."""

from __future__ import annotations

import time
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.db.api_keys import ApiKeyTable, LiveKey
from service.domain.key_text import compose_key, digest_of
from service.errors import DatabaseUnavailableError, RevocationsUnknownError, UnauthenticatedError
from service.services.access import Access
from service.services.key_uses import KeyUses

TEXT = compose_key("0" * 12, "k" * 32)
HEADER = f"Bearer {TEXT}".encode()
ALMOST = compose_key("0" * 12, "k" * 31 + "j")


class Table:
    """What is stored, in this process."""

    def __init__(self, seconds_left: float | None = None) -> None:
        self.number = 1
        self.keys = [LiveKey("0" * 12, "shop", digest_of(TEXT.encode()), ("read:country",), seconds_left)]
        self.is_away = False
        self.uses: list[dict[str, float]] = []

    async def edition(self) -> int:
        if self.is_away:
            raise DatabaseUnavailableError("away")
        return self.number

    async def live(self) -> list[LiveKey]:
        return self.keys

    async def used(self, ages: dict[str, float]) -> None:
        if self.is_away:
            raise DatabaseUnavailableError("away")
        self.uses.append(ages)

    def revoke(self) -> None:
        self.keys = []
        self.number += 1


def access_over(table: Table, *, grace_seconds: float = 0.0) -> Access:
    return Access(cast(ApiKeyTable, table), bound_seconds=2.0, grace_seconds=grace_seconds)


async def test_a_key_that_is_known_may_what_its_scopes_say():
    access = access_over(Table())
    await access.catch_up()
    assert access.may_read(HEADER, "country")
    assert access.may_read(HEADER, "country")
    assert not access.may_read(HEADER, "book")
    assert access.admit([HEADER]).name == "shop"
    assert access.admit([f"bearer  {TEXT} ".encode()]).name == "shop"


@pytest.mark.parametrize(
    "headers",
    [[HEADER], [f"bearer  {TEXT} ".encode()], [], [HEADER, HEADER], [f"Bearer {ALMOST}".encode()], [b"Bearer"], [b""]],
)
async def test_a_client_is_recognised_by_just_the_keys_that_are_admitted(headers: list[bytes]):
    access = access_over(Table())
    await access.catch_up()
    try:
        admitted = access.admit(headers)
    except UnauthenticatedError:
        admitted = None
    assert access.recognise(headers) == admitted


async def test_a_key_that_was_revoked_or_may_have_been_is_nobodys_client():
    for happen in (Table.revoke, lambda table: setattr(table, "is_away", True)):
        access = access_over(table := Table())
        await access.catch_up()
        assert access.recognise([HEADER]) is not None
        happen(table)
        access.following.known_at -= 3
        await access.catch_up()
        assert access.recognise([HEADER]) is None


async def test_a_key_that_was_revoked_is_not_known_any_more_after_the_next_look():
    access = access_over(table := Table())
    await access.catch_up()
    table.revoke()
    await access.catch_up()
    assert not access.may_read(HEADER, "country")
    with pytest.raises(UnauthenticatedError):
        access.admit([HEADER])


async def test_revoked_expired_and_never_made_are_told_in_the_same_words():
    told = set()
    for table, header in ((Table(-1.0), HEADER), (Table(), f"Bearer {ALMOST}".encode())):
        access = access_over(table)
        await access.catch_up()
        assert not access.may_read(header, "country")
        with pytest.raises(UnauthenticatedError) as caught:
            access.admit([header])
        told.add(str(caught.value))
    assert len(told) == 1


async def test_a_scope_that_is_not_understood_allows_nothing_and_keeps_nobody_else_out():
    table = Table()
    newer = LiveKey("1" * 12, "newer", digest_of(ALMOST.encode()), ("fly:*", "read:book"), None)
    table.keys.append(newer)
    access = access_over(table)
    await access.following.look()
    assert access.may_read(HEADER, "country")
    assert access.may_read(f"Bearer {ALMOST}".encode(), "book")
    assert access.admit([f"Bearer {ALMOST}".encode()]).scopes.texts == ("read:book",)


async def test_before_the_first_look_no_key_can_be_trusted():
    access = access_over(Table())
    assert not access.may_read(HEADER, "country")
    with pytest.raises(RevocationsUnknownError):
        access.admit([HEADER])


@pytest.mark.parametrize(("grace_seconds", "is_trusted"), [(0.0, False), (60.0, True)])
async def test_without_a_look_for_longer_than_the_bound_no_key_is_trusted_but_with_grace(
    grace_seconds: float, *, is_trusted: bool
):
    access = access_over(table := Table(), grace_seconds=grace_seconds)
    await access.catch_up()
    table.is_away = True
    access.following.known_at = time.monotonic() - 2.5
    await access.catch_up()
    assert access.may_read(HEADER, "country") is is_trusted
    assert access.is_known is is_trusted
    if not is_trusted:
        with pytest.raises(RevocationsUnknownError):
            access.admit([HEADER])


@given(
    st.lists(
        st.binary(max_size=200) | st.sampled_from([HEADER[:-1], HEADER + b"x", b"Bearer", b"Basic eDp5"]), max_size=2
    )
)
async def test_no_header_does_anything_but_be_refused(headers: list[bytes]):
    access = access_over(Table())
    await access.catch_up()
    for header in headers:
        assert not access.may_read(header, "country")
    with pytest.raises(UnauthenticatedError):
        access.admit(headers)


async def test_two_headers_are_no_key_even_if_both_are_good():
    access = access_over(Table())
    await access.catch_up()
    with pytest.raises(UnauthenticatedError):
        access.admit([HEADER, HEADER])


async def test_uses_are_noted_together_and_only_new_ones():
    access = access_over(table := Table())
    await access.catch_up()
    uses = KeyUses(access, cast(ApiKeyTable, table))
    await uses.note()
    assert access.may_read(HEADER, "country")
    await uses.note()
    await uses.note()
    assert [list(ages) for ages in table.uses] == [["0" * 12]]


async def test_a_use_that_could_not_be_noted_is_noted_later():
    access = access_over(table := Table())
    await access.catch_up()
    uses = KeyUses(access, cast(ApiKeyTable, table))
    access.admit([HEADER])
    table.is_away = True
    with pytest.raises(DatabaseUnavailableError):
        await uses.note()
    table.is_away = False
    await uses.note()
    assert len(table.uses) == 1


async def test_a_use_is_remembered_when_the_keys_are_loaded_anew():
    access = access_over(table := Table())
    await access.catch_up()
    access.admit([HEADER])
    table.number += 1
    await access.catch_up()
    assert list(access.used_since(float("-inf"))) == ["0" * 12]


async def test_what_stands_for_a_key_does_not_show_it():
    access = access_over(Table())
    await access.catch_up()
    assert "kkkk" not in repr(access.admit([HEADER]))
