"""What is shown, while it runs and at the end."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from service.bench.live import showing
from service.bench.mix import Kind
from service.bench.plan import Plan, entities
from service.bench.summary import as_json, show_summary, warnings_of
from service.bench.tally import Report, Tally
from service.bench.target import parse_target


def plan(**options: Any) -> Plan:
    subject = entities("item", ("a",), can_write=True)
    return Plan(target=parse_target("http://host:81"), subject=subject, seconds=10, **options)


def tally(hits: int, us: int, *, misses: int = 0) -> Tally:
    made = Tally()
    for outcome, count in (("hit", hits), ("miss", misses)):
        for _ in range(count):
            made.answered(200, outcome, us, is_error=False)
    return made


@pytest.mark.parametrize("is_terminal", [False, True])
def test_while_it_runs_the_last_second_is_shown(*, is_terminal: bool) -> None:
    shown = StringIO()
    console = Console(file=shown, force_terminal=is_terminal, width=120, soft_wrap=True)
    first = tally(100, 1000)
    second = tally(50, 8000, misses=150)
    second.add(first)
    with showing(console, plan()) as watch:
        watch(Report({Kind.READS: first}, seconds=1.0))
        shown.truncate(0)
        watch(Report({Kind.READS: second}, seconds=2.0))
    for figure in ("2 of 10 s", "200", "25.00 %", "8.00"):
        assert figure in shown.getvalue()


def test_while_it_warms_up_no_figures_are_shown_as_if_they_counted() -> None:
    shown = StringIO()
    with showing(Console(file=shown, width=120), plan(warmup_seconds=3)) as watch:
        watch(Report({Kind.READS: Tally()}, warmup_left=2.0))
        watch(Report({Kind.READS: Tally()}, seconds=0.001))
    [line] = shown.getvalue().splitlines()
    assert line.startswith("warming up, 2 s left")


def test_the_summary_has_a_row_for_each_kind_and_one_for_all() -> None:
    shown = StringIO()
    report = Report({Kind.READS: tally(900, 1000, misses=100), Kind.WRITES: tally(0, 0)}, seconds=2.0)
    show_summary(Console(file=shown, width=120), plan(), report)
    rows = {line.split()[0]: line.split() for line in shown.getvalue().splitlines() if line.strip()}
    assert rows["reads"][1:6] == ["1,000", "500", "0", "90.00", "%"]
    assert rows["all"][1:6] == ["1,000", "500", "0", "90.00", "%"]
    assert rows["writes"][1:5] == ["0", "0", "0", "–"]
    assert "≤ 1 ms      1,000 ████" in shown.getvalue()


def test_of_nothing_measured_a_summary_and_an_object_can_be_made_all_the_same() -> None:
    report, shown = Report({Kind.READS: Tally()}), StringIO()
    show_summary(Console(file=shown, width=120), plan(), report)
    figures = as_json(plan(), report)
    assert (figures["requests"], figures["throughput"], figures["hit_ratio"], figures["histogram"]) == (
        0,
        0.0,
        None,
        [],
    )


def test_the_object_has_the_figures_of_all_and_of_each_kind() -> None:
    report = Report({Kind.READS: tally(3, 2000), Kind.ABSENT: tally(1, 4000)}, seconds=2.0, late=1, latest=0.0125)
    figures = as_json(plan(rate=2.0), report)
    assert (figures["requests"], figures["throughput"], figures["seconds"]) == (4, 2.0, 2.0)
    assert figures["latency_ms"]["mean"] == 2.5
    assert figures["latency_ms"]["max"] == 4.0
    assert figures["late"] == {"count": 1, "max_ms": 12.5}
    assert figures["kinds"]["absent"]["histogram"] == [[4.015, 1]]
    assert set(figures["kinds"]) == {"reads", "absent"}


@pytest.mark.parametrize(
    ("rate", "report", "warning"),
    [
        (100.0, Report({Kind.READS: tally(100, 1)}, seconds=1.0, late=2, latest=0.5), "could not keep up"),
        (100.0, Report({Kind.READS: tally(90, 1)}, seconds=1.0), "the service could not take as many"),
        (None, Report({Kind.READS: tally(90, 1)}, seconds=1.0, busy=0.95), "busy 95% of the time"),
        (None, Report({Kind.READS: Tally(requests=1)}, seconds=1.0), ""),
        (100.0, Report({Kind.READS: tally(100, 1)}, seconds=1.0, late=1, busy=0.5), ""),
    ],
)
def test_it_is_said_when_figures_mean_less_than_they_seem_to(rate: float | None, report: Report, warning: str) -> None:
    told = list(warnings_of(plan(rate=rate), report))
    assert len(told) == bool(warning)
    assert warning in "".join(told)


def test_it_is_said_when_reads_found_nothing() -> None:
    reads = Tally()
    reads.answered(404, "negative_hit", 300, is_error=False)
    assert list(warnings_of(plan(), Report({Kind.READS: reads}, seconds=1.0))) == [
        "1 reads were told that there is no such key (404)."
    ]
