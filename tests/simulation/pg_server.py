"""A PostgreSQL in memory: sessions on connections that can break, row locks, commits that take time, restarts."""

from __future__ import annotations

from collections import Counter
from typing import Any

import asyncpg

from tests.simulation.network import Channel
from tests.simulation.pg_rows import Key, Rows, Transaction
from tests.simulation.pg_statements import READS, WRITES, Write, plain_delete, plain_update, written_record
from tests.simulation.simulator import Simulator

LEADS = "SELECT pg_try_advisory_lock($1)"
IDLES = "SET idle_session_timeout = "


class Session:
    """A backend. ``writing`` is its statement's transaction, until that is committed."""

    __slots__ = ("active_at", "idle_seconds", "writing")

    def __init__(self, now: float) -> None:
        self.active_at = now
        self.idle_seconds = 0.0
        self.writing: Transaction | None = None


class PostgresServer:
    """``commit_seconds``: the longest that a commit takes; ``statement_seconds``: the longest wait for a row lock."""

    name = "postgres"

    def __init__(
        self, simulator: Simulator, rows: Rows, counts: Counter[str], *, commit_seconds: float,
        statement_seconds: float,
    ) -> None:  # fmt: skip
        self.simulator = simulator
        self.rows = rows
        self.is_up = True
        self._counts = counts
        self._commit_seconds = commit_seconds
        self._statement_seconds = statement_seconds
        self._sessions: list[Channel] = []
        self._leader: Channel | None = None

    # -- connections ---------------------------------------------------------------------------------------------

    def accept(self, channel: Channel) -> None:
        channel.session = Session(self.simulator.now)
        self._sessions.append(channel)

    def hang_up(self, channel: Channel) -> None:
        """The session ends. A statement that is under way ends first, whether anybody waits for it or not."""
        if self._leader is channel:
            self._leader = None
        if channel in self._sessions:
            self._sessions.remove(channel)

    def sessions(self) -> list[Channel]:
        return self._sessions[:]

    def terminate(self, channel: Channel) -> None:
        """`pg_terminate_backend`: what is not committed is undone."""
        session: Session = channel.session
        if session.writing is not None and not session.writing.is_over:
            self.rows.abort(session.writing)
        channel.reply((0, asyncpg.AdminShutdownError("terminating connection due to administrator command")))
        channel.drop()

    def stop(self) -> None:
        """A crash, or an immediate shutdown: every session ends, uncommitted work is undone."""
        self.is_up = False
        for channel in self.sessions():
            channel.drop()
        self.rows.crash()

    def start(self) -> None:
        self.is_up = True

    # -- statements ----------------------------------------------------------------------------------------------

    def handle(self, channel: Channel, request: Any) -> None:
        number, statement, args = request
        session: Session = channel.session
        session.active_at = self.simulator.now
        read = READS.get(statement)
        if read is not None:
            channel.reply((number, read(self.rows, *args)))
        elif statement in WRITES:
            _Write(self, channel, number, write=WRITES[statement], key=(args[0], args[1]), args=args[2:]).begin()
        elif statement == LEADS:
            if self._leader is None:
                self._leader = channel
            channel.reply((number, [{"leads": self._leader is channel}]))
        elif statement.startswith(IDLES):
            session.idle_seconds = int(statement.removeprefix(IDLES)) / 1000
            self.simulator.after(session.idle_seconds, self._idle, channel)
            channel.reply((number, []))
        else:
            raise NotImplementedError(statement)

    def _idle(self, channel: Channel) -> None:
        """`idle_session_timeout`."""
        if channel not in self._sessions:
            return
        session: Session = channel.session
        left = session.active_at + session.idle_seconds - self.simulator.now
        if left > 1e-6:
            self.simulator.after(left, self._idle, channel)
        else:
            self._counts["idle session ended"] += 1
            channel.drop()

    # -- plain SQL -----------------------------------------------------------------------------------------------

    def plain(self, changes: list[tuple[Key, bytes | None]], *, open_seconds: float, commits: bool) -> None:
        """A transaction of somebody else's; a row without a body is deleted. Keys in one order: no deadlocks."""
        self._plain_next(Transaction(), sorted(changes), open_seconds, commits)

    def _plain_next(
        self,
        transaction: Transaction,
        changes: list[tuple[Key, bytes | None]],
        open_seconds: float,
        commits: bool,  # noqa: FBT001
    ) -> None:
        if transaction.is_over:
            return
        while changes:
            key, body = changes[0]
            if not self.rows.lock(transaction, key):
                self.rows.when_unlocked(key, lambda: self._plain_next(transaction, changes, open_seconds, commits))
                return
            del changes[0]
            if body is None:
                plain_delete(self.rows, transaction, key)
            else:
                plain_update(self.rows, transaction, key, body)
        if self.simulator.rng.random() < 0.3:
            self.simulator.after(open_seconds * 0.9, self._plain_again, transaction)
        self.simulator.after(open_seconds, self._plain_end, transaction, commits)

    def _plain_again(self, transaction: Transaction) -> None:
        """The same rows once more, in the same transaction."""
        for key, row in list(transaction.written.items()):
            if not transaction.is_over and row is not None and row.body is not None:
                plain_update(self.rows, transaction, key, row.body[:-1] + b', "again": 1}')

    def _plain_end(self, transaction: Transaction, commits: bool) -> None:  # noqa: FBT001
        if transaction.is_over:
            return
        if self.simulator.trace is not None:
            self.simulator.note(self.name, f"plain SQL {'commits' if commits else 'rolls back'} {transaction.written}")
        if commits:
            self.rows.commit(transaction)
        else:
            self.rows.abort(transaction)

    def truncate(self, tries: int = 40) -> None:
        done = self.rows.truncate()
        self.simulator.note(self.name, "TRUNCATE" if done else "TRUNCATE waits")
        if not done and tries:
            self.simulator.after(0.01, self.truncate, tries - 1)


class _Write:
    """One statement that changes one row: wait for its lock, change it, commit, answer."""

    __slots__ = ("args", "channel", "gives_up_at", "is_over", "key", "number", "server", "transaction", "write")

    def __init__(
        self, server: PostgresServer, channel: Channel, number: int, *, write: Write, key: Key, args: tuple[Any, ...]
    ) -> None:
        self.server = server
        self.channel = channel
        self.number = number
        self.write = write
        self.key = key
        self.args = args
        self.transaction = Transaction()
        self.is_over = False

    def begin(self) -> None:
        server = self.server
        self.channel.session.writing = self.transaction
        self.gives_up_at = server.simulator.now + server._statement_seconds
        if server.simulator.rng.random() < 0.5:
            server.rows.assign(self.transaction)  # before or after the wait for the lock: both happen
        self.attempt()
        if not self.transaction.is_over and not self.transaction.written:
            server.simulator.at(self.gives_up_at, self.give_up)

    def attempt(self) -> None:
        rows = self.server.rows
        if self.transaction.is_over:
            return
        if not rows.lock(self.transaction, self.key):
            rows.when_unlocked(self.key, self.attempt)
            return
        row = self.write(rows, rows.table.get(self.key), *self.args)
        if row is None:
            rows.abort(self.transaction)
            self.channel.reply((self.number, []))
            return
        rows.write(self.transaction, self.key, row)
        simulator = self.server.simulator
        simulator.after(simulator.rng.random() * self.server._commit_seconds, self.commit)

    def commit(self) -> None:
        if self.transaction.is_over:
            return
        row = self.transaction.written[self.key]
        assert row is not None
        self.server.rows.commit(self.transaction)
        if self.server.simulator.trace is not None:
            self.server.simulator.note("postgres", f"commits {self.key[1]} version {row.version}")
        self.channel.reply((self.number, [written_record(row)]))

    def give_up(self) -> None:
        """`statement_timeout`."""
        if not self.transaction.is_over and not self.transaction.written:
            self.server.rows.abort(self.transaction)
            self.channel.reply((self.number, asyncpg.QueryCanceledError("canceling statement due to timeout")))
