"""Two requests have the same digest only if they are the same."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from service.domain.repeatable import digest_of

PARTS = st.lists(st.none() | st.binary(max_size=4), max_size=4)


@given(PARTS, PARTS)
@example([b"ab", b"c"], [b"a", b"bc"])
@example([None], [b""])
@example([b"-"], [None])
@example([b"1:a"], [b"a"])
@example([b"", b""], [b""])
def test_different_parts_have_different_digests_and_the_same_the_same(
    one: list[bytes | None], other: list[bytes | None]
):
    assert (digest_of(*one) == digest_of(*other)) is (one == other)


def test_a_digest_is_a_sha256():
    assert len(digest_of(b"x" * 1_000_000)) == 32
