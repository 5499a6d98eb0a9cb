"""`python -m tests.fuzz`: every codec and parser under bytes that are chosen by the code that they reach.

Ends with 1 where an input failed; it is kept in a file, and how to run it again is printed.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tests.fuzz.catalogue import TARGETS
from tests.fuzz.fuzzer import Found, fuzz

_NO_ATHERIS = "make fuzz needs atheris, which is made for Linux on x86_64 with Python 3.11 to 3.13: it is not here."


def run_all(names: list[str], folder: Path, *, seconds: int, console: Console) -> list[str]:
    """The names of those for which an input failed, or which did not run."""
    failed = []
    columns = (
        TextColumn("{task.description:14}"),
        BarColumn(),
        TextColumn("{task.fields[reached]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        whole = progress.add_task("all", total=len(names), reached="")
        for name in names:
            task = progress.add_task(name, total=None, reached="")

            def told(found: Found, task=task) -> None:
                progress.update(task, reached=_reached(found))

            found = fuzz(TARGETS[name], folder, seconds=seconds, told=told)
            progress.remove_task(task)
            progress.advance(whole)
            if found.code == 0:
                progress.console.print(f"{name:14} {_reached(found)}", markup=False, highlight=False)
                continue
            failed.append(name)
            again = f"make fuzz ARGS='--only {name} --input {found.crash}'" if found.crash else "no input was kept"
            text = f"{name:14} {_reached(found)}: FAILED, ended with {found.code}\n{found.words}\nAgain: {again}"
            progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
    return failed


def _reached(found: Found) -> str:
    return f"{found.executions:>11,} executions {found.coverage:>6,} edges"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target (%(default)s)")
    parser.add_argument(
        "--only", nargs="+", choices=TARGETS, default=list(TARGETS), metavar="NAME", help="; ".join(TARGETS)
    )
    parser.add_argument("--folder", type=Path, default=Path(".local/fuzz"), help="of what was found (%(default)s)")
    parser.add_argument(
        "--input", type=Path, metavar="FILE", help="run the one target of --only with these bytes, once"
    )
    arguments = parser.parse_args()
    if arguments.input is not None:
        if len(arguments.only) != 1:
            parser.error("--input needs --only with the name of one target")
        TARGETS[arguments.only[0]].run(arguments.input.read_bytes())
        return 0
    if importlib.util.find_spec("atheris") is None:
        print(_NO_ATHERIS, file=sys.stderr)  # noqa: T201 (before there is a console)
        return 1
    failed = run_all(arguments.only, arguments.folder, seconds=arguments.seconds, console=Console())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
