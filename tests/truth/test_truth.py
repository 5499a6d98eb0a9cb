"""The campaign in the small: every operation, a seed. `make truth` is the long form, with the phase of coverage."""

from __future__ import annotations

import pytest

from tests.truth.campaign import hold
from tests.truth.stage import asked


@pytest.mark.parametrize(
    ("needs_keys", "phases"),
    [(True, ("examples", "fuzzing", "stateful")), (False, ("examples",))],
    ids=["with keys", "without keys"],
)
def test_schemathesis_finds_nothing_that_the_document_says_wrongly(database_mint, tmp_path, needs_keys, phases):
    with asked(database_mint, tmp_path, needs_keys=needs_keys) as it:
        verdict = hold(it, tmp_path, examples=1, seed=1, phases=phases)
    assert verdict.is_clean, verdict.output
