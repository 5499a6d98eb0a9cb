"""Two services to ask: one that lets nobody in without a key, and one that asks for none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from service.embedded import private_valkey
from tests.support.databases import DatabaseMint
from tests.support.keys import EVERYTHING, make_key
from tests.support.service_process import ServiceProcess

STARTING_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A service, and a key that may do everything where one is needed."""

    service: ServiceProcess
    key: str


@contextmanager
def asked(mint: DatabaseMint, folder: Path, *, needs_keys: bool) -> Iterator[Asked]:
    """With a database and a Valkey of its own, the example entity, and no limit of rates."""
    name = "guarded" if needs_keys else "open"
    with mint.database() as url, private_valkey() as valkey:
        key = make_key(url, "campaign", *EVERYTHING).text
        environment = {
            "DATABASE_URL": url,
            "REDIS_URL": valkey.url,
            "ASIDE_ACCESS__REQUIRED": str(needs_keys).lower(),
            "ASIDE_MIGRATE_ON_START": "true",
            "ASIDE_EXAMPLE_ENTITY": "true",
            "ASIDE_BOUND_SECONDS": "60",  # on a busy machine, the news of revoked keys may be late: 503 without this
        }
        service = ServiceProcess(folder / f"{name}.log", environment, is_forked=True)
        try:
            yield Asked(service.launch().wait_until_live(STARTING_SECONDS), key)
        finally:
            service.kill()
