"""The campaign in the small: every operation, every phase, a seed. `make truth` is the long form."""

from __future__ import annotations

import pytest

from tests.truth.campaign import hold
from tests.truth.stage import asked


@pytest.mark.parametrize("needs_keys", [True, False], ids=["keys are needed", "no keys are needed"])
def test_schemathesis_finds_nothing_that_the_document_says_wrongly(database_mint, tmp_path, needs_keys):
    with asked(database_mint, tmp_path, needs_keys=needs_keys) as it:
        verdict = hold(it, tmp_path, examples=1, seed=1)
    assert verdict.is_clean, verdict.output
