"""Bugs planted in the relay, in its leadership, and in the clocks."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant, mutant
from tests.mutants.relay import _NOTE, _POLL, GRANTS, RELAY

CHANGES = "service/db/changes.py"
PULSE = "service/cache/pulse.py"

_IDLE = '                await connection.execute(f"SET idle_session_timeout = {round(idle_seconds * 1000)}")\n'
_LEADS = '                leads = await connection.fetchval("SELECT pg_try_advisory_lock($1)", LEADERSHIP_LOCK)\n'

RELAY_BUGS: tuple[Mutant, ...] = (
    mutant("a grant is noted after its poll", RELAY, _NOTE + _POLL, _POLL + _NOTE),
    mutant(
        "a heartbeat's time begins after the poll",
        RELAY,
        "dies_at_ms = t0_ms + round",
        "dies_at_ms = await self._granter.now_ms() + round",
    ),
    mutant(
        "another server's heartbeat is not waited out",
        RELAY,
        "if self._horizon is None and await self.session.granted_elsewhere_seconds(run_id) > 0:",
        "if False:",
    ),
    mutant(
        "what one server has applied is taken for another's",
        RELAY,
        "self._run_id, self._horizon = run_id, None",
        "self._run_id = run_id; self._horizon = self._horizon",
    ),
    mutant(
        "nothing is replayed from the watermark",
        RELAY,
        "return since, await self.session.poll(since, page_size=self._page_size)",
        "return poll.horizon, _without_changes(poll)",
    ),
    Mutant(
        "a lost watermark is taken for the newest",
        (
            Edit(RELAY, 'return "no watermark"', "return None"),
            Edit(
                RELAY,
                "        return since, await self.session.poll(since, page_size=self._page_size)\n",
                "        if watermark is None:\n            return poll.horizon, _without_changes(poll)\n"
                "        return since, await self.session.poll(since, page_size=self._page_size)\n",
            ),
        ),
        (),
    ),
    mutant(
        "a heartbeat lives on the relay's clock",
        GRANTS,
        "return int(seconds) * 1000 + int(micros) // 1000",
        "return int(time.time() * 1000)",
    ),
    mutant(
        "a replica lives on its host's clock",
        PULSE,
        "return int(time.monotonic() * 1000 + self._offset_ms)",
        "return int(time.time() * 1000)",
    ),
    Mutant(
        "a script is sent again on another server's connection, with that server's name",
        (
            Edit(GRANTS, "*grant.versions), once=True)", "*grant.versions), once=False)"),
            Edit(
                "tests/support/memory_server.py",
                "        if run_id != self.run_id:\n            return Granted.RESTARTED\n",
                "",
            ),
        ),
        (),
    ),
    mutant(
        "the watermark is read from whatever server answers",
        GRANTS,
        'self._lane.call("GET", WATERMARK, once=True)',
        'self._lane.call("GET", WATERMARK)',
    ),
    mutant("the lock is taken before the session can time out", CHANGES, _IDLE + _LEADS, _LEADS + _IDLE),
)
