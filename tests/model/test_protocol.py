"""The protocol explored in its smallest worlds; `python -m tests.model` does the larger ones."""

from __future__ import annotations

import pytest

from tests.model.explore import explore
from tests.model.runs import ABLATIONS, SHORT, Run


def by_name(run: Run) -> str:
    return run.name


@pytest.mark.parametrize("run", SHORT, ids=by_name)
def test_no_read_ever_answers_anything_older_than_was_known(run: Run):
    found = explore(run.rules, run.scope)
    assert found.trace == ()
    assert found.states > 5_000  # it went somewhere


@pytest.mark.parametrize("run", ABLATIONS, ids=by_name)
def test_every_safeguard_is_needed(run: Run):
    assert explore(run.rules, run.scope).trace != ()


def test_a_reader_whose_repair_is_lost_may_not_simply_answer():
    """The race that `service.cache.settling` draws, as the model finds it by itself."""
    [run] = [each for each in ABLATIONS if each.name == "a lost repair is waited out"]
    *_, last_but_one, last = explore(run.rules, run.scope).trace
    assert last.startswith("r: hit v0")
    assert any("is lost, answers" in label for label in explore(run.rules, run.scope).trace)
    assert last_but_one.startswith("r: ")
