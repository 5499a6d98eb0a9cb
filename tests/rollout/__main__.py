"""`python -m tests.rollout`: replicas exchanged one by one behind the load balancer, under load, and judged.

Rolling restarts; an upgrade from the release before, with both versions at work, and the way back; replicas and
migrations started at the same moment on an empty database. Ends with 1 on any violation.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console

from service.embedded import Postgres, Valkey, private_postgres, private_valkey
from service.embedded.private import private_folder
from tests.rollout import report
from tests.rollout.release import CURRENT, HistoryMissingError, previous
from tests.rollout.restarts import Restarted, rolling_restarts
from tests.rollout.stage import open_stage
from tests.rollout.starting import MIGRATING, Started, migrate_together, start_together
from tests.rollout.upgrade import Upgrade, Upgraded
from tests.support.databases import DatabaseMint
from tests.support.valkey_commands import command

REPLICAS, DRAIN_SECONDS, AT_ONCE = 3, 3.0, 5
"""The drain is compose.yaml's."""


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.rollout", description=__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="of restarts of each replica")
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--writers", type=int, default=3)
    parser.add_argument("--mixed-seconds", type=float, default=8.0, help="both versions side by side, each time")
    parser.add_argument("--report", type=Path, help="where to write the JSON; Markdown and a picture beside it")
    return parser.parse_args()


class Rollout:
    """The servers are shared; each campaign has a database of its own, and begins with an empty cache."""

    def __init__(
        self, given: argparse.Namespace, folder: Path, postgres: Postgres, valkey: Valkey, tell: Callable[[str], None]
    ) -> None:
        self._given = given
        self._folder = folder
        self._postgres = postgres
        self._valkey = valkey
        self._mint = DatabaseMint(postgres)
        self._tell = tell

    def run(self) -> dict[str, Any]:
        old = previous(self._made("old"))
        restarted = self._restarts()
        self._tell(restarted.verdict.words)
        upgraded = self._upgrade(old)
        self._tell(upgraded.verdict.words)
        started = self._start_together()
        self._tell(f"{AT_ONCE} migrations at once, on an empty database")
        with self._mint.database(is_migrated=False) as url:
            made, wrong = asyncio.run(migrate_together(url, self._postgres.log, AT_ONCE))
        return {
            "restarts": restarted, "upgrade": upgraded, "started": started, "made": made, "wrong_migrations": wrong,
        }  # fmt: skip

    def _restarts(self) -> Restarted:
        self._tell(f"rolling restarts: {REPLICAS} replicas, {self._given.rounds} rounds")
        with self._mint.database() as url, self._stage("restarts", url, REPLICAS) as stage:

            async def run() -> Restarted:
                await stage.start_all(CURRENT)
                given = self._given
                return await rolling_restarts(stage, rounds=given.rounds, readers=given.readers, writers=given.writers)

            return asyncio.run(run())

    def _upgrade(self, old: Any) -> Upgraded:
        self._tell(f"upgrade from schema {old.schema} to {CURRENT.schema}, and back, and forward again")
        with self._mint.database(is_migrated=False) as url, self._stage("upgrade", url, REPLICAS) as stage:

            async def run() -> Upgraded:
                await stage.migrate(old)
                await stage.start_all(old)
                upgrade = Upgrade(stage, old, mixed_seconds=self._given.mixed_seconds, tell=self._tell)
                return await upgrade.run(readers=self._given.readers, writers=self._given.writers)

            return asyncio.run(run())

    def _start_together(self) -> Started:
        self._tell(f"{AT_ONCE} replicas of 2 workers at once, on an empty database")
        workers = {"ASIDE_WORKERS": "2", **MIGRATING}
        with (
            self._mint.database(is_migrated=False) as url,
            self._stage("together", url, AT_ONCE, **workers) as stage,
        ):
            return asyncio.run(start_together(stage, self._postgres.log, workers=2))

    def _stage(self, name: str, url: str, replicas: int, **environment: str) -> Any:
        command(self._valkey.url, "FLUSHALL")
        urls = {"DATABASE_URL": url, "REDIS_URL": self._valkey.url}
        return open_stage(
            self._made(name), urls, replicas=replicas, drain_seconds=DRAIN_SECONDS, tell=self._tell, **environment
        )

    def _made(self, name: str) -> Path:
        (folder := self._folder / name).mkdir()
        return folder


def main() -> int:
    given, console, began = options(), Console(), time.monotonic()

    def tell(what: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f} s  {what}", highlight=False, soft_wrap=True)

    try:
        with private_folder() as folder, private_postgres() as postgres, private_valkey() as valkey:
            results = Rollout(given, folder, postgres, valkey, tell).run()
    except HistoryMissingError as missing:
        console.print(str(missing), style="bold red", soft_wrap=True)
        return 1
    found = report.figures(results)
    if given.report is not None:
        report.write(given.report, found, results)
    for each in found["wrong"]:
        console.print(f"VIOLATION {each}", style="red", highlight=False, soft_wrap=True)
    console.print(report.summary(found), soft_wrap=True, highlight=False)
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
