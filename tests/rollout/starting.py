"""Many replicas, or migrations, started at the same moment on an empty database: the schema is made once."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import asyncpg

from service.db.revision import VERSION_TABLE
from tests.rollout.release import CURRENT
from tests.rollout.slot import PATIENCE_SECONDS
from tests.rollout.stage import LEADERS, Stage
from tests.support.aside_command import aside
from tests.support.scraping import scrape
from tests.support.waiting import eventually

MIGRATING = {"ASIDE_MIGRATE_ON_START": "true"}
"""What replicas that bring the schema up themselves are started with."""
_CREATED = re.compile(r"\bCREATE TABLE ([a-z_]+) \(")


@dataclass(frozen=True, slots=True)
class Made:
    """``created``: how often each table was created, or was tried to be, as the server logged it."""

    revisions: list[str]
    created: Counter[str]

    @property
    def wrong(self) -> list[str]:
        found = [f"CREATE TABLE {name} was run {count} times" for name, count in self.created.items() if count != 1]
        if self.revisions != [CURRENT.schema]:
            found.append(f"the revisions are {self.revisions}, not {CURRENT.schema} alone")
        if not {"entity", "ledger", VERSION_TABLE} <= self.created.keys():
            found.append(f"of the tables only {sorted(self.created)} were seen to be created")
        return found


@dataclass(frozen=True, slots=True)
class Started:
    """``leaders``: the relays that lead, as the replicas' metrics add up; ``leaderships``: sessions with the lock."""

    replicas: int
    workers: int
    made: Made
    ready_seconds: list[float]
    leaders: int
    leaderships: int
    wrong: list[str] = field(default_factory=list)


class DdlLog:
    """What a PostgreSQL logs of a database's definitions from now on: those that fail, too."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._from = log.stat().st_size

    @classmethod
    async def of(cls, database_url: str, log: Path) -> DdlLog:
        connection = await asyncpg.connect(database_url)
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f"ALTER DATABASE {name} SET log_statement = 'ddl'")
        await connection.close()
        return cls(log)

    async def made(self, database_url: str) -> Made:
        connection = await asyncpg.connect(database_url)
        revisions = [row[0] for row in await connection.fetch(f"SELECT version_num FROM {VERSION_TABLE}")]
        await connection.close()
        text = self._log.read_bytes()[self._from :].decode(errors="replace")
        return Made(revisions, Counter(_CREATED.findall(text)))


async def start_together(stage: Stage, log: Path, *, workers: int) -> Started:
    """``stage`` has an empty database, and replicas with `MIGRATING` and so many workers. ``log`` is PostgreSQL's."""
    url = stage.urls["DATABASE_URL"]
    definitions = await DdlLog.of(url, log)
    for slot in stage.slots:
        slot.launch(CURRENT)
    for slot in stage.slots:
        await slot.until_counted_in()
    await eventually(partial(_leaders, stage), within_seconds=PATIENCE_SECONDS)
    made, leaders, leaderships = await definitions.made(url), await _leaders(stage), await _leaderships(url)
    wrong = list(made.wrong)
    if (leaders, leaderships) != (1, 1):
        wrong.append(f"{leaders} relays lead by the metrics, {leaderships} by PostgreSQL's locks")
    wrong += [f"{slot.host} logged a failure" for slot in stage.slots if "Traceback" in slot.process.log]
    ready_seconds = [slot.ready_seconds[-1] for slot in stage.slots]
    return Started(len(stage.slots), workers, made, ready_seconds, leaders, leaderships, wrong)


async def migrate_together(database_url: str, log: Path, count: int) -> tuple[Made, list[str]]:
    """So many `aside migrate` at once on an empty database: what they made, and what went wrong."""
    definitions = await DdlLog.of(database_url, log)
    ended = await asyncio.gather(*[aside("migrate", DATABASE_URL=database_url) for _ in range(count)])
    made = await definitions.made(database_url)
    return made, [*(each.stderr for each in ended if each.exit_code != 0), *made.wrong]


async def _leaders(stage: Stage) -> int:
    """Over replicas and their workers."""
    return int((await scrape([slot.url for slot in stage.slots])).total_of("aside_relay_leading"))


async def _leaderships(database_url: str) -> int:
    connection = await asyncpg.connect(database_url)
    found: int = await connection.fetchval(f"SELECT count(*) FROM ({LEADERS}) AS leaders")
    await connection.close()
    return found
