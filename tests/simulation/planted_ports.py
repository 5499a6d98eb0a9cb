"""Bugs planted in the ports of scripts, triggers and statements."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant, mutant

SERVER = "tests/support/memory_server.py"
ROWS = "tests/simulation/pg_rows.py"
STATEMENTS = "tests/simulation/pg_statements.py"
POSTGRES = "tests/simulation/pg_server.py"

_HOLDS = "        if lease is None or lease[1] != token:\n            return False\n"
_PUT = "self.set(key, payload, dies_at_ms=stale_until_ms)"
_ABSENT = '        if head == b"":\n            return Effect.ABSENT\n'
_INSTALLS = (
    "self.set(key, change.install.payload, dies_at_ms=change.install.stale_until_ms)\n"
    "            return Effect.REPLACED\n"
)
_LEASED = "        if lease and change.generation != NO_GENERATION:\n"

PORT_BUGS: tuple[Mutant, ...] = (
    mutant(
        "a fill goes under anybody's lease", SERVER, _HOLDS, "        if lease is None:\n            return False\n"
    ),
    mutant("a fill goes below the floor", SERVER, "        if version < int(lease[2]):", "        if False:"),
    mutant(
        "a fill goes where nothing is",
        SERVER,
        _HOLDS,
        f'        if self._header(key) == b"":\n            {_PUT}\n            return True\n{_HOLDS}',
    ),
    mutant(
        "a fill goes over a value",
        SERVER,
        _HOLDS,
        f'        if _VERSIONED.match(self._header(key) or b""):\n            {_PUT}\n'
        f"            return True\n{_HOLDS}",
    ),
    mutant(
        "an apply does not raise a lease's floor", SERVER, "if change.version > int(lease[2]):", "if False:"
    ),
    mutant(
        "an apply installs where nothing is",
        SERVER,
        _ABSENT,
        f'        if head == b"" and change.install:\n            {_INSTALLS}{_ABSENT}',
    ),
    mutant(
        "an apply installs over a lease",
        SERVER,
        _LEASED,
        f"        if lease and change.install:\n            {_INSTALLS}{_LEASED}",
    ),
    mutant(
        "versions are not compared",
        SERVER,
        "if held > change.version or (held == change.version and mode is not Mode.RENEW):",
        "if held == change.version and mode is not Mode.RENEW:",
    ),
    mutant(
        "an early refresh goes over something newer",
        SERVER,
        "if held > change.version or (held == change.version and mode is not Mode.RENEW):",
        "if held >= change.version and mode is not Mode.RENEW:",
    ),
    mutant(
        "a superseded grant is accepted",
        SERVER,
        "if found is not None and (grant.term, grant.poll) <",
        "if False and (grant.term, grant.poll) <",
    ),
    mutant("a grant applies nothing", SERVER, "self.apply(Change(name, version, label_of(generation, name)))", "pass"),
    mutant(
        "only the last page is applied",
        SERVER,
        "        generation = grant.generation.encode()\n",
        "        generation = grant.generation.encode()\n"
        "        if not grant.horizon:\n            return Granted.APPLIED\n",
    ),
    mutant(
        "a heartbeat lives for the bound after its script",
        SERVER,
        "self.beat(generation, dies_at_ms=grant.dies_at_ms)",
        "self.beat(generation, dies_at_ms=self.now_ms() + 1000)",
    ),
    mutant(
        "the poll forgets who was under way",
        ROWS,
        "return xid < self.xmin or (xid < self.xmax and xid not in self.xip)",
        "return xid < self.xmax",
    ),
    Mutant(
        "the version is taken before the row lock",
        (
            Edit(POSTGRES, '__slots__ = ("args", ', '__slots__ = ("args", "early", '),
            Edit(
                POSTGRES,
                "        self.channel.session.writing = self.transaction\n",
                "        self.channel.session.writing = self.transaction\n"
                "        self.early = server.rows.next_version()\n",
            ),
            Edit(
                POSTGRES,
                "        rows.write(self.transaction, self.key, row)\n",
                "        row = row._replace(version=self.early)\n        rows.write(self.transaction, self.key, row)\n",
            ),
        ),
        (),
    ),
    mutant(
        "a plain DELETE leaves no tombstone",
        STATEMENTS,
        "rows.write(transaction, key, stamped(rows, None, None))",
        "rows.write(transaction, key, None)",
    ),
    mutant("changes are not noted", ROWS, "self.note(transaction, key, row.version)", "pass"),
    mutant(
        "a TRUNCATE moves no epoch",
        ROWS,
        "        self.table.clear()\n        self.next_epoch()\n",
        "        self.table.clear()\n",
    ),
    mutant(
        "what a TRUNCATE took away has no version",
        STATEMENTS,
        '"version": rows.truncated_version, **nothing}',
        '"version": 0, **nothing}',
    ),
    mutant(
        "the ledger says that no heartbeat can be alive",
        STATEMENTS,
        "now + bound_seconds * 1.25",
        "now",
    ),
    mutant(
        "what the ledger calls applied is taken for any version",
        ROWS,
        "applied.sees(change.xid) for change in self.changes if change.version == version and now.sees(change.xid)",
        "True for change in self.changes if now.sees(change.xid)",
    ),
)  # fmt: skip
