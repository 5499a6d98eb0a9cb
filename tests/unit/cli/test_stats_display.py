"""What `aside stats` makes of the service's answers: rates of what was added between two, and words."""

from __future__ import annotations

import copy
import io
from typing import Any

from rich.console import Console

from service.api.cache_stats_example import example
from service.cli.stats_display import figures_of, line_of, picture_of, span


def later(answer: dict[str, Any], **added: int) -> dict[str, Any]:
    """The same service, when it has answered so many more."""
    answer = copy.deepcopy(answer)
    for spans in (answer["requests"]["all"], answer["requests"]["entity_types"]["parameter"]):
        for outcome, count in added.items():
            spans["since_start"][outcome] += count
    return answer


def drawn(answer: dict[str, Any], **more: Any) -> str:
    console = Console(file=io.StringIO(), width=160)
    console.print(picture_of(figures_of(answer), **more))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_rates_are_of_what_was_added_and_the_ratio_is_of_that_alone() -> None:
    before = example()
    figures = figures_of(later(before, hit=150, negative_hit=30, miss=15, bypass=5), before=before, seconds=2.0)
    everything, parameter = figures.rows
    assert (everything.name, parameter.name) == ("all", "parameter")
    assert everything.rates == {"hit": 75, "negative_hit": 15, "miss": 7.5, "stale": 0, "bypass": 2.5, "off": 0}
    assert everything.ratio_now == 180 / 200
    assert figures.now_seconds == 2.0
    assert line_of(figures).startswith("hit ratio 90.00%  hit 75.0/s  negative_hit 15.0/s  miss 7.5/s  stale –/s")


def test_one_answer_alone_has_the_rates_of_its_last_minute() -> None:
    figures = figures_of(example())
    minute = example()["requests"]["all"]["last_minute"]
    assert figures.now_seconds is None
    assert figures.rows[0].rates["hit"] == minute["hit"] / minute["covers_seconds"]


def test_counters_that_went_back_are_those_of_another_process_and_yield_no_rates() -> None:
    after = example()
    figures = figures_of(after, before=later(after, hit=1), seconds=2.0)
    assert (figures.now_seconds, figures.rows[0].rates) == (None, figures_of(after).rows[0].rates)


def test_the_picture_says_how_everything_is() -> None:
    shown = drawn(example())
    for words in (
        "on, for 20 min; heartbeat 0.12 s old; relay leading",
        "12.0 MiB of 64.0 MiB; noeviction",
        "a full Redis takes no new entries",
        "(running)",
        "answers per second in the last minute",
        "parameter",
    ):
        assert words in shown
    away = example()
    away["cache"] |= {"on": False, "state": "off: Redis unreachable", "heartbeat_age_seconds": None}
    away["redis"] = {**dict.fromkeys(away["redis"]), "reachable": False}
    shown = drawn(away, fault="Connection refused")
    for words in (
        "off: Redis unreachable, for 20 min; no heartbeat",
        "cannot be reached",
        "no answer: Connection refused",
    ):
        assert words in shown


def test_a_time_is_in_its_largest_unit_of_which_there_are_two() -> None:
    assert [span(seconds) for seconds in (0.25, 119, 120, 7_200, 172_800)] == [
        "0.2 s",
        "119.0 s",
        "2 min",
        "2 h",
        "2 days",
    ]
