"""`python -m tests.mutants [words…]`: plant one bug after the other in a copy of the tree, and see that a test notices.

Words select mutants by name. First, the tests concerned must pass on an unchanged copy. Ends with 1 if a mutant
survives, does not apply, or is noticed by something else than its tests.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import DoesNotApplyError, Mutant, plant

ROOT = Path(__file__).parents[2]
COPIED = ("service", "alembic", "tests", "pyproject.toml")
SECONDS_PER_TEST = 40
_FAILED = re.compile(r"^FAILED (\S+?)(?:\[[^\]]*\])?(?: - (.*))?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one mutant ended. ``survived`` names the tests that passed although the safeguard was gone."""

    mutant: Mutant
    killed: bool
    survived: list[str]
    seconds: float
    says: str


@contextmanager
def copied_tree() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="aside-mutant-") as folder:
        tree = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, tree / name)
        yield tree


def run_tests(tree: Path, ids: Iterable[str]) -> tuple[int, str]:
    """The exit code and the output of pytest, on the service that lies in the tree."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(tree), "COLUMNS": "300"}
    argv = [sys.executable, "-m", "pytest", "-q", "--no-header", "--tb=line", f"--timeout={SECONDS_PER_TEST}", *ids]
    result = subprocess.run(argv, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def failures(output: str) -> dict[str, str]:
    """The tests that failed, without their parameters, and why."""
    return {test: why or "" for test, why in _FAILED.findall(output)}


def judge(mutant: Mutant) -> Verdict:
    started = time.monotonic()
    with copied_tree() as tree:
        try:
            plant(mutant, tree)
        except DoesNotApplyError as error:
            return Verdict(mutant, killed=False, survived=[], seconds=0.0, says=str(error))
        code, output = run_tests(tree, mutant.test_ids)
    failed = failures(output)
    survived = [test for test in mutant.test_ids if test.partition("[")[0] not in failed]
    says = next(iter(failed.values()), output.strip().rpartition("\n")[2])
    return Verdict(mutant, code == 1 and not survived, survived, time.monotonic() - started, says)


def check_baseline(mutants: list[Mutant]) -> dict[str, str]:
    """The tests concerned that fail without any mutant, and why."""
    ids = sorted({test for mutant in mutants for test in mutant.test_ids})
    with copied_tree() as tree:
        where = subprocess.run(
            [sys.executable, "-c", "import service; print(service.__file__)"],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert where.stdout.startswith(str(tree)), f"the copy is not what is tested: {where.stdout}"
        code, output = run_tests(tree, ids)
    if code not in (0, 1):
        return {"the tests cannot be run": output[-2000:]}
    return failures(output)


def report(verdict: Verdict, number: int, count: int, *, with_reason: bool) -> None:
    state = "caught" if verdict.killed else "SURVIVED"
    tests = ", ".join(sorted({test.partition("::test_")[2].partition("_")[0].upper() for test in verdict.mutant.tests}))
    line = f"{number:>3}/{count}  {state:8}  {verdict.seconds:5.1f} s  {tests:12}  {verdict.mutant.name}"
    print(line, flush=True)  # noqa: T201
    if not verdict.killed:
        for test in verdict.survived:
            print(f"         passed: {test}")  # noqa: T201
    if with_reason or not verdict.killed:
        print(f"         {verdict.says}", flush=True)  # noqa: T201


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="only mutants whose name contains one of these")
    parser.add_argument("--jobs", type=int, default=2, help="how many at the same time")
    parser.add_argument("--why", action="store_true", help="also say with what words a mutant was caught")
    arguments = parser.parse_args()
    chosen = [each for each in MUTANTS if not arguments.words or any(word in each.name for word in arguments.words)]
    broken = check_baseline(chosen)
    for test, why in broken.items():
        print(f"fails without any mutant: {test} {why}", flush=True)  # noqa: T201
    if broken:
        return 1
    survivors = 0
    with ThreadPoolExecutor(max_workers=arguments.jobs) as pool:
        for number, verdict in enumerate(pool.map(judge, chosen), start=1):
            report(verdict, number, len(chosen), with_reason=arguments.why)
            survivors += not verdict.killed
    print(f"{len(chosen) - survivors} of {len(chosen)} mutants were caught by their tests")  # noqa: T201
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
