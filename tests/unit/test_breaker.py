"""When to stop asking, as a state machine."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from service.breaker import Breaker
from tests.support.quick import quick


class Breaking(RuleBasedStateMachine):
    """Beside it, the plain history: how many failures in a row, and when the one came that was too many."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker()
        self.row = 0
        self.now = 0.0
        self.opened_at: float | None = None

    @initialize(threshold=st.integers(1, 5))
    def begin(self, threshold: int) -> None:
        self.breaker = Breaker(threshold=threshold)

    @rule(seconds=st.floats(0, 100), decisive=st.booleans())
    def fails(self, seconds: float, decisive: bool) -> None:  # noqa: FBT001 (drawn by name)
        self.now += seconds
        self.row = self.breaker.threshold if decisive else self.row + 1
        opens = self.opened_at is None and self.row >= self.breaker.threshold
        if opens:
            self.opened_at = self.now
        assert self.breaker.failed(self.now, decisive=decisive) is opens

    @rule()
    def succeeds(self) -> None:
        closes = self.opened_at is not None
        self.row, self.opened_at = 0, None
        assert self.breaker.succeeded() is closes

    @invariant()
    def is_open_since_the_failure_that_was_too_many(self) -> None:
        assert self.breaker.is_open is (self.opened_at is not None)
        assert self.breaker.since == self.opened_at


def test_a_breaker_opens_after_enough_failures_in_a_row_and_closes_with_the_first_success() -> None:
    run_state_machine_as_test(Breaking, settings=quick(25, steps=20))


def test_one_failure_alone_opens_nothing() -> None:
    breaker = Breaker()
    breaker.failed(1.0)
    breaker.succeeded()
    breaker.failed(2.0)
    assert not breaker.is_open
