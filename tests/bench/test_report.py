"""What is said of a run is what was found in it."""

from __future__ import annotations

import json

from tests.bench.contestants import ABSENT, ASIDE, BEYOND, CEILING, KEYED, PLAIN, RATIO, WEBDIS
from tests.bench.figures import Found, Load
from tests.bench.goals import GOALS, judge
from tests.bench.plan import Plan
from tests.bench.report import Report, markdown, write_report
from tests.bench.tables import by_target, number


def load(per_second: float, *, refused: int = 0) -> Load:
    return Load(
        requests=round(per_second * 2) + refused, seconds=2.0, errors={"connect": 0, "status": refused},
        p50_ms=1.0, p90_ms=2.0, p99_ms=3.0, max_ms=4.0,
    )  # fmt: skip


def loads(*rates: float) -> list[Load]:
    return [load(rate) for rate in rates]


def report(found: dict[str, Found], **missing: str) -> Report:
    return Report(
        plan=Plan(), command="make bench", day="2026-01-02", cores="one core",
        machine={"processor": "Z80", "cores": 2, "memory_gb": 1, "system": "CP/M", "load_at_start": 0.5},
        versions={"Python": "3.11"}, found=found, missing=missing,
    )  # fmt: skip


def verdict(found: dict[str, Found], title: str) -> tuple[str, float | None]:
    [one] = [one for one in judge(found) if one.goal.title.startswith(title)]
    return one.text, one.found.median if one.found else None


def test_a_target_is_held_against_the_median_of_the_ratios():
    warm = Found(loads={ASIDE: loads(70, 50, 55), CEILING: loads(100, 100, 50), WEBDIS: loads(100, 100, 100)})
    assert verdict({"warm": warm}, "warm hit ÷ ceiling") == ("reached", 0.7)
    assert verdict({"warm": warm}, "warm hit ÷ Webdis") == ("reached", 0.55)


def test_a_missed_target_is_called_missed():
    warm = Found(loads={ASIDE: loads(50), CEILING: loads(100)})
    assert verdict({"warm": warm}, "warm hit ÷ ceiling") == ("MISSED", 0.5)
    assert "| warm hit ÷ ceiling | ≥ 0.6 | 0.5 | 0.5 – 0.5 | **MISSED** |" in markdown(report({"warm": warm}), {})


def test_the_best_cache_is_the_best_of_each_round():
    warm = Found(loads={ASIDE: loads(60, 60), "aiocache": loads(10, 5), "cashews": loads(5, 10)})
    assert verdict({"warm": warm}, "warm hit ÷ the best Python cache") == ("reached", 6.0)


def test_a_round_with_errors_has_no_ratio_and_the_errors_are_shown():
    warm = Found(loads={ASIDE: [load(90), load(60)], CEILING: [load(100, refused=9), load(100)]})
    assert verdict({"warm": warm}, "warm hit ÷ ceiling") == ("reached", 0.6)
    assert "status 9 of 409" in by_target(warm)


def test_what_was_not_measured_is_neither_reached_nor_missed():
    assert {one.text for one in judge({})} == {"NOT MEASURED"}
    assert verdict({"cold": Found(loads={ASIDE: loads(1)})}, "cold miss") == ("NOT MEASURED", None)


def test_one_load_too_many_in_any_round_is_a_miss():
    title = "keys loaded for 1,000 concurrent misses"
    assert verdict({"stampede": Found(figures={"keys loaded": [1, 1, 1]})}, title) == ("reached", 1)
    assert verdict({"stampede": Found(figures={"keys loaded": [1, 1, 2]})}, title) == ("MISSED", 1)


def test_one_connection_more_than_configured_is_a_miss():
    outage = Found(
        loads={ASIDE: loads(5), PLAIN: loads(1)},
        figures={"connections that load, at most": [3.0, 4.0], "connections at all, at most": [10.0, 10.0]},
        facts={"load_connections": 3, "connections": 19, "looks": 2},
    )
    assert verdict({"outage": outage}, "Valkey down: connections") == ("MISSED", 0.5)


def test_a_batch_counts_by_its_items():
    batch = Found(loads={"single": loads(100), "batch": loads(11)}, facts={"items": 100, "of": "item"})
    assert verdict({"batch": batch}, "batch read") == ("reached", 11)


def test_hits_with_keys_are_held_against_the_ceiling():
    keys = Found(loads={ASIDE: loads(90), KEYED: loads(59), CEILING: loads(100)}, facts={"rate": 5})
    assert verdict({"keys": keys}, "warm hit with a key") == ("MISSED", 0.59)


def test_a_flood_is_judged_by_the_median_of_its_pairs():
    floods = Found(figures={f"{ABSENT}: {RATIO}": [1.4, 9.0, 1.2], f"{BEYOND}: {RATIO}": [1.6, 1.0, 1.7]})
    assert verdict({"floods": floods}, "hits of others beside a flood of absent keys") == ("reached", 1.4)
    assert verdict({"floods": floods}, "hits of others beside a flood beyond") == ("MISSED", 1.6)


def test_who_could_not_be_had_and_what_failed_is_said():
    text = markdown(report({"warm": Found(left_out={"all": "FAILED. WrkError: no"})}, cashews="no such package"), {})
    assert "- **cashews** took part in nothing: no such package" in text
    assert "all: FAILED. WrkError: no" in text
    assert "- not asked for: " in text


def test_every_figure_is_in_the_json_and_every_target_in_the_page(tmp_path):
    warm = Found(loads={ASIDE: loads(60, 61), CEILING: loads(100, 100)})
    write_report(tmp_path, report({"warm": warm}))
    said = json.loads((tmp_path / "benchmarks.json").read_text())
    assert [one["per_second"] for one in said["cells"]["warm"]["loads"][ASIDE]] == [60, 61]
    assert len(said["targets"]) == len(GOALS)
    text = (tmp_path / "README.md").read_text()
    assert all(goal.title in text for goal in GOALS)
    assert (tmp_path / "throughput.png").read_bytes().startswith(b"\x89PNG")
    assert "(throughput.png)" in text


def test_numbers_have_three_digits_that_say_something():
    assert [number(value) for value in (0, 0.01234, 1, 12.345, 99.99, 123.4, 12345.6)] == [
        "0", "0.0123", "1", "12.3", "100", "123", "12,346",
    ]  # fmt: skip
