"""`python -m tests.simulation.bugs [words…]`: plant one bug after the other, and let the simulation find it.

Words select bugs by name. Ends with 1 if one that is not called rare is not found within the seeds, or does not apply.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.mutants.__main__ import copied_tree
from tests.mutants.mutant import DoesNotApplyError, Mutant, plant
from tests.simulation.planted import NOT_SHOWN, PLANTED, RARE, theme_of

_CONSOLE = Console(width=180)
_MOST_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Found:
    """``seed`` None: it was not found within ``seeds``, and ``violation`` says what happened instead."""

    bug: str
    theme: str
    seed: int | None
    seeds: int
    violation: str
    seconds: float


def hunt(bug: Mutant, *, first: int, seeds: int) -> Found:
    """Run seeds on a tree with the bug in it, until one violates a promise."""
    started, theme = time.monotonic(), theme_of(bug)
    with copied_tree() as tree, tempfile.TemporaryDirectory(prefix="aside-hunt-") as folder:
        try:
            plant(bug, tree)
        except DoesNotApplyError as error:
            return Found(bug.name, theme, None, 0, str(error), 0.0)
        report = Path(folder) / "report.json"
        options = [
            "--theme",
            theme,
            "--seeds",
            str(seeds),
            "--first",
            str(first),
            "--jobs",
            "1",
            "--report",
            str(report),
        ]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(tree)}
        try:
            result = subprocess.run(
                [sys.executable, "-m", "tests.simulation", *options],
                cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=_MOST_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Found(bug.name, theme, None, seeds, "the runs never ended", time.monotonic() - started)
        if not report.exists():
            why = result.stderr.strip().rpartition("\n")[2]
            return Found(bug.name, theme, None, 0, why, time.monotonic() - started)
        summary = json.loads(report.read_text())
    seconds = time.monotonic() - started
    for seed, lines in summary["violations_by_seed"].items():
        return Found(bug.name, theme, int(seed), int(seed) - first + 1, lines[0], seconds)
    return Found(bug.name, theme, None, summary["seeds"], "NOT FOUND", seconds)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.bugs", description=__doc__)
    parser.add_argument("words", nargs="*", help="only bugs whose name contains one of these")
    parser.add_argument("--seeds", type=int, default=2_000, help="how many each bug may survive")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at the same time")
    parser.add_argument("--report", type=Path, help="write the table as JSON")
    chosen = parser.parse_args()
    bugs = [bug for bug in PLANTED if not chosen.words or any(word in bug.name for word in chosen.words)]
    table = Table("bug", "theme", "seed", "seeds", "seconds", "what was violated", title="Planted bugs")
    found: list[Found] = []
    with ThreadPoolExecutor(max_workers=chosen.jobs) as pool:
        for each in pool.map(lambda bug: hunt(bug, first=chosen.first, seeds=chosen.seeds), bugs):
            found.append(each)
            missed = "NONE, RARE" if each.bug in RARE else "NONE"
            seed = missed if each.seed is None else str(each.seed)
            table.add_row(each.bug, each.theme, seed, str(each.seeds), f"{each.seconds:.1f}", each.violation[:300])
            _CONSOLE.print(
                f"{len(found):>3}/{len(bugs)} {seed:>10}  {each.bug} ({each.theme})", markup=False, highlight=False
            )
    _CONSOLE.print(table)
    for bug, why in RARE.items():
        _CONSOLE.print(f"rare: {bug}: {why}", markup=False, highlight=False)
    for bug, why in NOT_SHOWN.items():
        _CONSOLE.print(f"not shown here: {bug}: {why}", markup=False, highlight=False)
    if chosen.report is not None:
        chosen.report.write_text(
            json.dumps({"found": [asdict(each) for each in found], "rare": RARE, "not_shown": NOT_SHOWN}, indent=2)
            + "\n"
        )
    return 0 if all(each.seed is not None or each.bug in RARE for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
