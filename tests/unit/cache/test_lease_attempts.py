"""The arguments of the lease script, each time that it is sent."""

from __future__ import annotations

from service.cache.lease_attempts import LeaseAttempts


def test_the_first_attempt_is_made_under_the_tokens_that_were_wished_for():
    attempts = LeaseAttempts(5_000, "read", [b"t", b"u"])
    assert attempts.first() == [5_000, "read", b"t", b"u"]
    assert attempts.tokens == [b"t", b"u"]


def test_every_further_attempt_has_tokens_of_its_own_and_names_those_before_it():
    attempts = LeaseAttempts(5_000, "write", [b"t", b"u"])
    sent = [attempts.first(), attempts.again(), attempts.again()]
    assert sent[1] == [5_000, "write", *tokens_of(sent[1]), b"t", b"u"]
    assert sent[2] == [5_000, "write", *tokens_of(sent[2]), *tokens_of(sent[1])]
    assert attempts.tokens == tokens_of(sent[2])
    assert len({token for each in sent for token in tokens_of(each)}) == 6


def tokens_of(args: list[bytes | str | int]) -> list[bytes | str | int]:
    """The tokens that the two keys would be leased under."""
    return args[2:4]
