"""What is excused, and that nothing else is."""

from __future__ import annotations

import pytest

from tests.truth.beyond import REASONS, Refused, is_busy, reason_for

TWO, ILLEGIBLE, NAME, VALUE, LIFETIMES, TWICE, LINKED, REUSED = REASONS


def problem(place: str, detail: str, kind: str = "invalid-body") -> dict[str, object]:
    return {"type": f"/problems/{kind}", "errors": [{"pointer": place, "detail": detail}]}


@pytest.mark.parametrize(
    ("reason", "refused"),
    [
        (TWO, Refused("headParameter", 422, query={"version": 1, "at": "2026-11-20T08:00:00Z"})),
        (ILLEGIBLE, Refused("putEntity", 400, headers={"Aside-Actor": "%B0"})),
        (ILLEGIBLE, Refused("putEntity", 400, headers={"aside-reason": "%00"})),
        (NAME, Refused("putParameter", 422, problem=problem("/key", "is another key than the path's"))),
        (VALUE, Refused("putParameter", 422, problem=problem("/value/0", "…", "schema-violation"))),
        (VALUE, Refused("putParameterValue", 422, problem=problem("", "of type integer: …", "invalid-parameter"))),
        (LIFETIMES, Refused("putPolicy", 422, problem=problem("/stale_if_error_seconds", "together with ttl_seconds"))),
        (TWICE, Refused("b", 422, problem=problem("/writes/7", "is of the same entity as /writes/0"))),
        (LINKED, Refused("readParameter", 422, path={"key": "-bad"})),
        (
            REUSED,
            Refused("p", 422, headers={"Idempotency-Key": '"k"'}, problem={"type": "/problems/idempotency-key-reused"}),
        ),
        (None, Refused("p", 422, problem={"type": "/problems/idempotency-key-reused"})),
        (None, Refused("readParameter", 422, path={"key": "good"}, query={"version": 1})),
        (None, Refused("putEntity", 400, headers={"Aside-Actor": "%C3%BC"})),
        (None, Refused("putEntity", 422, headers={"Aside-Actor": "%B0"})),
        (None, Refused("putParameter", 422, problem=problem("/ttl_seconds", "…", "invalid-parameter"))),
        (None, Refused("putEntity", 422, problem=problem("", "…", "invalid-parameter"))),
        (None, Refused("putPolicy", 422, problem=problem("/ttl_seconds", "must be a number"))),
        (None, Refused("b", 422, problem=problem("/writes/7", "has no body"))),
    ],
)
def test_a_refusal_is_excused_for_what_no_schema_can_say_and_for_nothing_else(reason, refused):
    assert reason_for(refused) == reason


@pytest.mark.parametrize(
    ("is_so", "refused"),
    [
        (True, Refused("readEntity", 503, problem=problem("", "…", "overloaded"), retry_after="1")),
        (True, Refused("headEntity", 503, retry_after="1")),
        (False, Refused("headEntity", 503)),
        (False, Refused("readEntity", 500, problem=problem("", "…", "internal-error"))),
        (False, Refused("readEntity", 503, problem=problem("", "…", "schema-missing"), retry_after="1")),
    ],
)
def test_of_server_errors_only_a_want_of_time_is_excused(is_so, refused):
    assert is_busy(refused) is is_so
