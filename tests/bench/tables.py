"""Tables of a report, in Markdown: each says of how many rounds it is, and what failed in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tests.bench.contestants import CEILING
from tests.bench.figures import Found
from tests.bench.goals import Verdict
from tests.bench.ratios import Spread, ratios, spread


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column is text, the others are figures."""
    marks = ("---", *("---:" for _ in header[1:]))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, marks, *rows))


def verdicts(found: Sequence[Verdict]) -> str:
    rows = [
        (verdict.goal.title, verdict.goal.limit_text, *spread_cells(verdict.found), f"**{verdict.text}**")
        for verdict in found
    ]
    return table(("target", "wanted", "median", "min – max", ""), rows)


def spread_cells(found: Spread | None) -> tuple[str, str]:
    return ("–", "–") if found is None else (number(found.median), f"{number(found.low)} – {number(found.high)}")


def by_target(found: Found, *, beside: str | None = CEILING) -> str:
    """Speed, its share of ``beside``, latencies, hits, errors; the quickest first."""
    names = sorted(found.loads, key=lambda name: -(_median(found, name)))
    shares = beside in found.loads
    header = (
        "",
        "req/s",
        "min – max",
        *((f"÷ {beside}",) if shares else ()),
        "p50 ms",
        "p99 ms",
        "CPU µs",
        "hits",
        "errors",
    )
    rows = []
    for name in names:
        rate = found.rate(name)
        share = (spread_cells(spread(ratios(found.rates(name), found.rates(beside or ""))))[0],) if shares else ()
        rows.append(
            (
                name,
                *spread_cells(rate),
                *share,
                *_latencies(found, name),
                _cpu(found, name),
                _hits(found, name),
                errors(found, name),
            )
        )
    return table(header, rows)


def matrix(cells: Mapping[str, Found], titles: Mapping[str, str]) -> str:
    """Requests per second of every target, median of the rounds, a column for each cell."""
    present = [name for name in titles if name in cells and cells[name].loads]
    targets = sorted(
        {name for cell in present for name in cells[cell].loads}, key=lambda n: -_median(cells[present[0]], n)
    )
    rows = []
    for target in targets:
        rates = [cells[cell].rate(target) for cell in present]
        marks = ["*" if cells[cell].errors(target) else "" for cell in present]
        rows.append(
            (
                target,
                *(f"{number(rate.median)}{mark}" if rate else "–" for rate, mark in zip(rates, marks, strict=True)),
            )
        )
    return table(("req/s", *(titles[name] for name in present)), rows) if present else ""


def figures(found: Found) -> str:
    rows = [(name, *spread_cells(spread(values)), str(len(values))) for name, values in found.figures.items()]
    return table(("", "median", "min – max", "rounds"), rows)


def errors(found: Found, name: str) -> str:
    """In words, with the number of requests beside: `status 812 of 4,021`."""
    happened = found.errors(name)
    asked = sum(load.requests for load in found.loads[name])
    return ", ".join(f"{kind} {count:,}" for kind, count in happened.items()) + f" of {asked:,}" if happened else "0"


def number(value: float) -> str:
    """Three digits that say something; thousands apart."""
    if value != 0 and abs(value) < 100:
        return f"{value:.3g}"
    return f"{value:,.0f}"


def _median(found: Found, name: str) -> float:
    rate = found.rate(name)
    return rate.median if rate else 0.0


def _latencies(found: Found, name: str) -> tuple[str, str]:
    loads = found.loads[name]
    of = (spread(load.p50_ms for load in loads), spread(load.p99_ms for load in loads))
    return tuple(number(one.median) if one else "–" for one in of)  # type: ignore[return-value]


def _cpu(found: Found, name: str) -> str:
    """Of the server's own, per request."""
    used = spread(load.cpu_us for load in found.loads[name])
    return number(used.median) if used else "–"


def _hits(found: Found, name: str) -> str:
    shares = spread(load.hits for load in found.loads[name])
    return f"{shares.median:.1%}" if shares else ""
