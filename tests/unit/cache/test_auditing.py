"""The judgement of the audit: nothing that a correct cache may answer is ever called stale, and what is stale is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.cache.auditing import contradicts, is_confirmed, served
from service.cache.codec import encode
from service.cache.entry import Entry, Reading
from service.domain.row import Truth
from tests.support.quick import quick

BOUND = 4
"""B, in steps of a history."""
RETENTION = 40
"""A tombstone that is so many steps old may be pruned."""

EVENTS = ("nothing", "nothing", "write", "write", "delete", "prune", "truncate", "next epoch", "fail over")


@dataclass(frozen=True)
class State:
    """One key in PostgreSQL at one step."""

    version: int = 0
    exists: bool = False
    epoch: int = 100
    history: int = 0
    changed_at: int = 0

    @property
    def generation(self) -> bytes:
        return b"h%d.%d" % (self.history, self.epoch)

    @property
    def truth(self) -> Truth:
        return Truth(self.version, self.exists, self.generation)


def history_of(events: list[str]) -> list[State]:
    """The state after each event. Versions come from one sequence, which a failover may set back."""
    states, sequence = [State()], 0
    for step, event in enumerate(events, start=1):
        state = states[-1]
        sequence += 1
        if event == "write":
            state = replace(state, version=sequence, exists=True, changed_at=step)
        elif event == "delete" and state.exists:
            state = replace(state, version=sequence, exists=False, changed_at=step)
        elif event == "prune" and state.version and not state.exists and step - state.changed_at > RETENTION:
            state = replace(state, version=0, changed_at=step)
        elif event == "truncate":
            state = replace(state, version=0, exists=False, epoch=state.epoch + 1, changed_at=step)
        elif event == "next epoch":
            state = replace(state, epoch=state.epoch + 1)
        elif event == "fail over":
            sequence = max(0, sequence - 3)
            known = [s for s in states if s.version <= sequence]
            lost = known[-1] if known else State()
            state = replace(lost, history=state.history + 1, epoch=state.epoch, changed_at=step)
        states.append(state)
    return states


def entry_of(state: State, generation: bytes) -> Entry:
    return Entry(state.version, generation, 1, 0, 10**9, 10**9, 0, b"{}" if state.exists else None)


@given(
    events=st.lists(st.sampled_from(EVENTS), min_size=40, max_size=120),
    first=st.integers(0, 120),
    waited=st.integers(1, 20),
    loaded_ago=st.integers(0, BOUND - 1),
    labelled_ago=st.integers(0, BOUND - 1),
    confirmed_after=st.integers(0, 10),
)
@quick(300)
def test_what_a_cache_that_keeps_the_bound_may_answer_is_never_called_stale(
    *, events: list[str], first: int, waited: int, loaded_ago: int, labelled_ago: int, confirmed_after: int
) -> None:
    """Any row that was true within the last B steps, under any generation that was true before that row was loaded."""
    states = history_of(events)
    first %= len(states) - BOUND - waited - confirmed_after
    third = first + BOUND + waited
    fourth = third + confirmed_after
    loaded = third - loaded_ago
    labelled = max(loaded - labelled_ago, third - BOUND + 1)
    assert first < labelled
    labelled = min(labelled, loaded)
    entry = entry_of(states[loaded], states[labelled].generation)
    truth = states[first].truth
    assert not (contradicts(entry, truth) and is_confirmed(entry, truth, states[fourth].truth))


@given(
    events=st.lists(st.sampled_from(("nothing", "write", "delete", "next epoch")), min_size=5, max_size=60),
    loaded=st.integers(0, 59),
    first=st.integers(1, 59),
)
@quick(300)
def test_an_answer_that_a_commit_had_superseded_before_the_first_look_is_called_stale(
    events: list[str], loaded: int, first: int
) -> None:
    states = history_of(events)
    first = 1 + first % (len(states) - 1)
    loaded %= first
    old, now = states[loaded], states[first]
    assume(old.version != now.version and (old.exists or now.exists))
    entry = entry_of(old, old.generation)
    assert contradicts(entry, now.truth)
    assert is_confirmed(entry, now.truth, now.truth)


@pytest.mark.parametrize(
    ("entry", "first", "fourth"),
    [
        pytest.param(State(0), State(9, exists=False), State(0), id="no row, where a tombstone was pruned meanwhile"),
        pytest.param(State(0), State(9, exists=True), State(0), id="no row, where a row was pruned meanwhile"),
        pytest.param(State(0), State(9, exists=True), State(30, exists=True), id="no row, and created again since"),
        pytest.param(State(7, exists=True), State(0), State(7, exists=True), id="created after the first look"),
        pytest.param(State(7, exists=True), State(0), State(8), id="created and deleted after the first look"),
        pytest.param(State(5, exists=True), State(9, exists=True), State(5, exists=True), id="PostgreSQL was set back"),
        pytest.param(
            State(5, exists=True), State(9, exists=True), State(9, exists=True, epoch=101), id="truncated meanwhile"
        ),
        pytest.param(
            State(5, exists=True, epoch=101), State(9, exists=True), State(9, exists=True), id="of a later epoch"
        ),
        pytest.param(
            State(5, exists=True, history=1), State(9, exists=True), State(9, exists=True), id="of another history"
        ),
        pytest.param(State(9, exists=True), State(9, exists=True, epoch=101), State(9, epoch=101), id="only the epoch"),
    ],
)
def test_what_may_have_come_about_rightly_is_no_alarm(entry: State, first: State, fourth: State) -> None:
    cached = entry_of(entry, entry.generation)
    assert not (contradicts(cached, first.truth) and is_confirmed(cached, first.truth, fourth.truth))


@pytest.mark.parametrize(
    ("entry", "truth"),
    [
        pytest.param(State(5, exists=True), State(9, exists=True), id="an older value"),
        pytest.param(State(5, exists=True), State(9), id="a value that was deleted"),
        pytest.param(State(5), State(9, exists=True), id="absence that has ended"),
        pytest.param(State(0), State(9, exists=True), id="absence that had no version"),
        pytest.param(State(5, exists=True), State(0, epoch=101), id="a value that was truncated"),
        pytest.param(State(5, exists=True), State(0), id="a value that has no row in its own epoch"),
    ],
)
def test_each_kind_of_staleness_is_called_so(entry: State, truth: State) -> None:
    cached = entry_of(entry, entry.generation)
    assert contradicts(cached, truth.truth)
    assert is_confirmed(cached, truth.truth, truth.truth)


def test_only_what_a_reader_would_be_answered_with_is_judged() -> None:
    entry = Entry(5, b"h.1", 1, 0, 1_000, 2_000, 0, b"{}")
    raw = encode(entry, "book:dune")
    assert served(Reading(raw, b"h.1"), "book:dune", 999) == entry
    assert served(Reading(raw, b"h.1"), "book:dune", 1_000) is None  # expired; it is there for stale-if-error only
    assert served(Reading(raw, b"h.2"), "book:dune", 0) is None
    assert served(Reading(raw, None), "book:dune", 0) is None
    assert served(Reading(raw, b"h.1"), "book:emma", 0) is None
    assert served(Reading(None, b"h.1"), "book:dune", 0) is None
    assert served(Reading(b"L1 token 0\n", b"h.1"), "book:dune", 0) is None
