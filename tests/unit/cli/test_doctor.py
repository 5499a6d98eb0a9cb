"""The exit code of `aside doctor`, for scripts that go by it."""

from __future__ import annotations

import pytest

from service.cli.doctor import exit_code_of
from service.doctor.finding import Level


@pytest.mark.parametrize(
    ("worst", "lenient", "strict"), [(Level.OK, 0, 0), (Level.WARN, 0, 1), (Level.FAIL, 3, 3)], ids=str
)
def test_failures_always_count_and_warnings_for_the_strict(worst: Level, lenient: int, strict: int) -> None:
    assert (exit_code_of(worst, strict=False), exit_code_of(worst, strict=True)) == (lenient, strict)
