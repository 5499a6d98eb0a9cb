"""`python -m tests.truth`: Schemathesis holds the OpenAPI document against real services, and finds what is not true.

Ends with 1 if anything was found.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from service.embedded import private_postgres
from service.embedded.private import private_folder
from tests.support.databases import DatabaseMint
from tests.truth.campaign import Verdict, hold
from tests.truth.report import markdown, write_report
from tests.truth.stage import asked


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.truth", description=__doc__)
    parser.add_argument("--examples", type=int, default=100, help="of each operation, and sequences (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, metavar="DIR", help="where to write it; otherwise it is only shown")
    arguments = parser.parse_args()
    verdicts: dict[str, Verdict] = {}
    with private_postgres() as postgres:
        mint = DatabaseMint(postgres)
        for name in ("guarded", "open"):
            with private_folder() as folder, asked(mint, folder, needs_keys=name == "guarded") as it:
                verdicts[name] = hold(it, folder, examples=arguments.examples, seed=arguments.seed)
            sys.stdout.write(verdicts[name].output)
    command = shlex.join(["python", "-m", "tests.truth", *sys.argv[1:]])
    if arguments.report is not None:
        write_report(arguments.report, verdicts, command=command)
    sys.stdout.write(markdown(verdicts, command=command))
    return 0 if all(verdict.is_clean for verdict in verdicts.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
