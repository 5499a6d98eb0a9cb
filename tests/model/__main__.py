"""`python -m tests.model`: explores everything, and prints what each missing safeguard would cost. Takes minutes."""

from __future__ import annotations

import sys
import time

from tests.model.explore import explore
from tests.model.runs import ABLATIONS, FULL, SHORT, Run


def report(run: Run, *, expects_violation: bool) -> bool:
    started = time.perf_counter()
    found = explore(run.rules, run.scope)
    name = f"without: {run.name}" if expects_violation else run.name
    verdict = f"VIOLATION after {len(found.trace)} steps" if found.trace else "nothing older is ever answered"
    seconds = time.perf_counter() - started
    print(f"{name:66} {verdict:31} {found.states:>9,} states {seconds:6.1f} s", flush=True)  # noqa: T201 (its purpose)
    for label in found.trace:
        print(f"      {label}")  # noqa: T201
    return bool(found.trace) is expects_violation


def main() -> int:
    """0 where the protocol holds and every safeguard is needed."""
    clean = [report(run, expects_violation=False) for run in (*SHORT, *FULL)]
    broken = [report(run, expects_violation=True) for run in ABLATIONS]
    return 0 if all(clean + broken) else 1


if __name__ == "__main__":
    sys.exit(main())
