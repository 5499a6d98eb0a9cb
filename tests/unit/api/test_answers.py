"""How an answer tells the way it took."""

from __future__ import annotations

import itertools
import re

import pytest

from service.api.answers import cache_status, provenance
from service.cache.entry import Answer, Detail, Outcome


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(Outcome.HIT, 1, b"1", 0, ttl_ms=287_900), "aside; hit; ttl=287"),
        (Answer(Outcome.NEGATIVE_HIT, 1, None, 0, ttl_ms=5_000), "aside; hit; ttl=5"),
        (
            Answer(Outcome.STALE, 1, b"1", 0, ttl_ms=-11_500, detail=Detail.STALE_IF_ERROR),
            "aside; hit; ttl=-12; detail=stale-if-error",
        ),
        (Answer(Outcome.MISS, 1, b"1", 0, stored=True), "aside; fwd=uri-miss; stored"),
        (Answer(Outcome.MISS, 1, b"1", 0, detail=Detail.FILL_REFUSED), "aside; fwd=uri-miss; detail=fill-refused"),
        (Answer(Outcome.MISS, 1, b"1", 0, stored=True, detail=Detail.EXPIRED), "aside; fwd=stale; stored"),
        (Answer(Outcome.BYPASS, 1, b"1", 0, detail=Detail.REQUESTED), "aside; fwd=request"),
        (Answer(Outcome.BYPASS, 1, b"1", 0, detail=Detail.MIN_VERSION), "aside; fwd=request"),
        (Answer(Outcome.BYPASS, 1, b"1", 0, detail=Detail.LEASE_BUSY), "aside; fwd=bypass; detail=lease-busy"),
        (Answer(Outcome.OFF, 1, b"1", 0, detail=Detail.CACHE_OFF), "aside; fwd=bypass; detail=cache-off"),
    ],
)
def test_cache_status_speaks_in_the_words_of_its_standard(answer: Answer, told: str) -> None:
    assert cache_status(answer) == told


@pytest.mark.parametrize(("outcome", "detail"), list(itertools.product(Outcome, Detail)))
def test_every_outcome_has_words_and_never_both_hit_and_forwarded(outcome: Outcome, detail: Detail) -> None:
    told = cache_status(Answer(outcome, 1, b"", 0, detail=detail))
    assert re.fullmatch(r"aside; (hit; ttl=-?\d+|fwd=(uri-miss|stale|request|bypass))(; detail=[a-z-]+)?", told)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_an_answer_out_of_the_cache_has_an_age(outcome: Outcome) -> None:
    headers = provenance(Answer(outcome, 1, b"", 0, age_ms=13_900))
    from_cache = outcome in {Outcome.HIT, Outcome.NEGATIVE_HIT, Outcome.STALE}
    assert headers.get("Age") == ("13" if from_cache else None)
