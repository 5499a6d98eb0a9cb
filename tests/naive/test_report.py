"""What is said of a run is what was found in it."""

from __future__ import annotations

import json

import pytest

from tests.naive.figures import Figures, interval
from tests.naive.plan import Plan
from tests.naive.report import Line, write_report
from tests.support.registers import Behind, Stale


def test_nothing_found_among_a_million_is_less_than_three_in_a_million():
    assert interval(0, 1_000_000) == (0.0, 3e-6)
    assert interval(0, 0) == (0.0, 1.0)


def test_the_interval_is_wilsons():
    low, high = interval(10, 100)
    assert low == pytest.approx(0.0552, abs=1e-4)
    assert high == pytest.approx(0.1744, abs=1e-4)


def test_a_zero_is_shown_with_what_it_may_still_be(tmp_path):
    calm, broken = Figures(seconds=1.0), Figures(seconds=1.0)
    for number in range(1_000):
        calm.read(None, is_hit=True)
        broken.read(Stale(Behind.READ, 0.25) if number < 10 else None, is_hit=False)
    write_report(tmp_path, Plan(), [Line("one", "does", {"calm": calm, "with failures": broken})], command="make")
    text = (tmp_path / "naive.md").read_text()
    assert "| one | calm | 1,000 | 0 | 0 (< 3e+03) | 0 / 0 / 0 | – | 100.0% |" in text
    assert "| 10,000 (5,441 – 18,309) | 0 / 10 / 0 | 0.250 s | 0.0% |" in text
    found = json.loads((tmp_path / "naive.json").read_text())["results"]["one"]
    assert found["with failures"]["stale_reads_behind"] == {"read": 10}
    assert (tmp_path / "naive.png").read_bytes().startswith(b"\x89PNG")
