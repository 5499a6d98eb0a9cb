"""What a PostgreSQL server itself says that it was asked: its log of statements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from service.embedded import Postgres

LOGGED: Final[Mapping[str, str]] = {"log_statement": "all", "log_line_prefix": "%p %a|"}
"""Settings for a server whose statements are to be counted."""

_STATEMENT = re.compile(r"^(\d+) aside\|LOG: +(?:execute [^:]*|statement): (?:-- )?(.+)", re.MULTILINE)
_OF_A_RELAY = re.compile(r"relay_|pg_try_advisory_lock|idle_session_timeout")
_WORD = re.compile(r"\w+")
_BY_THE_CLOCK = frozenset({"api_key_edition", "history", "job_claim", "policy_edition", "schema_revision"})
"""Asked about once a second by each process, whatever its clients do; of the history, by who would lead."""


class StatementLog:
    """What the service asked since this was made, or since the last `forget`; what its relays ask is left out,
    and what each process asks by the clock.
    """

    def __init__(self, server: Postgres) -> None:
        self._log = server.log
        self._from = 0
        self.forget()

    def forget(self) -> None:
        self._from = self._log.stat().st_size

    def names(self) -> list[str]:
        """The first word of each statement: for those that Aside keeps in files, the file's name."""
        with self._log.open("rb") as log:
            log.seek(self._from)
            found = _STATEMENT.findall(log.read().decode(errors="replace"))
        relays = {pid for pid, text in found if _OF_A_RELAY.search(text)}
        names = [_WORD.findall(text)[0] for pid, text in found if pid not in relays]
        return [name for name in names if name not in _BY_THE_CLOCK]
