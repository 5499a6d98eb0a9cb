"""Many ids at once: what the engine is asked for, and whose its answers are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from service.cache.engine import Engine
from service.cache.entry import NO_WISH, Answer, Outcome, Wish
from service.cache.policy import Policy
from service.services.reading import read_many

POLICY = Policy()


class Echo:
    """Answers each name with itself."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def get_many(self, names: Sequence[str], policy: Policy, wish: Wish) -> list[Answer]:
        assert (policy, wish) == (POLICY, NO_WISH)
        self.asked = list(names)
        return [Answer(Outcome.HIT, 1, name.encode(), 0) for name in names]


async def test_an_id_that_is_given_twice_is_asked_for_once() -> None:
    echo = Echo()
    answers = await read_many(cast(Engine, echo), "t", ["b", "a", "b", "a:b"], policy=POLICY, wish=NO_WISH)
    assert echo.asked == ["t:b", "t:a", "t:a:b"]
    bodies = {each: answer.body for each, answer in answers.items() if isinstance(answer, Answer)}
    assert bodies == {"b": b"t:b", "a": b"t:a", "a:b": b"t:a:b"}
