"""What is loaded in place of the rules is the rules, but for their durations."""

from __future__ import annotations

import re

import pytest

from tests.alerts.prometheus import RULES
from tests.alerts.scaling import scaled


@pytest.mark.parametrize(
    ("written", "loaded"),
    [
        ("        for: 2m\n", "        for: 4000ms\n"),
        ("rate(aside_writes_total[5m])", "rate(aside_writes_total[10000ms])"),
        ("avg_over_time(p99_5m[1h] offset 5m) and up", "avg_over_time(p99_5m[120000ms] offset 10000ms) and up"),
        ("[15s]", "[500ms]"),
        ("[1ms]", "[1ms]"),
    ],
)
def test_for_ranges_and_offsets_are_divided_by_the_factor(written: str, loaded: str) -> None:
    assert scaled(written, 30) == loaded


@pytest.mark.parametrize(
    "text",
    [
        "- record: job:aside_reads:rate5m",
        "description: In the last 5m, for 2m, it failed.",
        "p99_5m > 0.5",
        'status=~"50[0-3]"',
    ],
)
def test_names_texts_and_classes_of_characters_stay_as_they_are(text: str) -> None:
    assert scaled(text, 30) == text


def test_by_a_factor_of_one_the_rules_mean_what_they_say() -> None:
    for path in RULES:
        written = path.read_text()
        assert len(re.findall(r"\d+ms\b", scaled(written, 1))) == len(
            re.findall(r"(?:for: |\[|offset )\d+[smhd]\b", written)
        )
