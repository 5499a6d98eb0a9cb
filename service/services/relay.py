"""The relay: carries changes from PostgreSQL to the cache, and keeps the heartbeat without which no cache is used.

Runs in every replica; an advisory lock decides who leads. One poll:

    T0 and run_id from Redis → the ledger notes a grant → one snapshot of the changes → one script: apply, watermark,
    heartbeat until T0 + B

The order is the proof. The ledger is committed before the poll, so whoever reads after its own commit that no grant
is noted knows that every later grant has polled its change. The script is bound to the server of T0: after a restart
it is refused, and the new instance is brought up from its own watermark.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import structlog

from service.cache.grants import Grant, Granted, Granter, Watermark
from service.cache.recorder import Recorder
from service.db.changes import NO_HORIZON, Changed, Poll, RelaySession, read_history
from service.db.pool import Database
from service.errors import CacheUnavailableError, UnavailableError

log = structlog.get_logger(__name__)


class Reign:
    """One leadership: a session in PostgreSQL, a term, and what this leader knows to be applied, and where."""

    def __init__(
        self, session: RelaySession, granter: Granter, recorder: Recorder, *, term: int, bound_seconds: float,
        page_size: int, on_emptied: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._on_emptied = on_emptied
        self.session = session
        self._granter = granter
        self._recorder = recorder
        self._term = term
        self._bound_seconds = bound_seconds
        self._page_size = page_size
        self._polls = 0
        self._run_id = ""
        self._horizon: str | None = None
        """What this very instance has applied; None until its watermark has been read."""
        self._noted = ("", "")
        self.history = ""

    async def poll(self) -> Granted | None:
        """One poll; None where nothing could be granted yet. Raises CacheUnavailableError, UnavailableError."""
        t0_ms = await self._granter.now_ms()
        run_id = self._granter.run_id
        if run_id != self._run_id:
            self._run_id, self._horizon = run_id, None
        if self._horizon is None and await self.session.granted_elsewhere_seconds(run_id) > 0:
            return None  # readers of another instance may still be vouched for (race R12)
        await self.session.note(run_id, self._bound_seconds)
        since, poll = await self._first_poll() if self._horizon is None else await self._poll_since(self._horizon)
        granted = await self._apply(since, poll, t0_ms)
        if granted is not Granted.GRANTED:
            return granted
        if self._granter.found_nothing:
            log.info("relay_found_an_empty_cache")
            self._on_emptied()
        self._horizon = poll.horizon
        self.history = poll.generation.partition(".")[0]
        if poll.page or self._noted[1] != poll.generation:
            self._noted = (poll.horizon, poll.generation)
            await self.session.applied(*self._noted)
        self._recorder.relay(poll.oldest_age_seconds, len(poll.page))
        return granted

    async def _poll_since(self, horizon: str) -> tuple[str, Poll]:
        return horizon, await self.session.poll(horizon, page_size=self._page_size)

    async def _first_poll(self) -> tuple[str, Poll]:
        """Where to begin with an instance one has not fed before: at its own watermark (race R11)."""
        watermark = await self._granter.watermark()
        since = NO_HORIZON if watermark is None else watermark.horizon
        poll = await self.session.poll(since, page_size=1)
        reason = _why_unknown(watermark, poll)
        if reason is not None:
            log.info("relay_next_epoch", reason=reason)
            await self.session.next_epoch()
            poll = await self.session.poll(poll.horizon, page_size=1)
            return poll.horizon, _without_changes(poll)
        return since, await self.session.poll(since, page_size=self._page_size)

    async def _apply(self, since: str, poll: Poll, t0_ms: int) -> Granted:
        """Every page but the last only applies; the last one grants. All of them are bound to one server."""
        self._polls += 1
        page = poll.page
        while len(page) == self._page_size:
            following = await self.session.next_page(
                since, poll.horizon, page_size=self._page_size, after=page[-1].version
            )
            granted = await self._granter.grant(self._grant(poll, page))
            if granted is not Granted.APPLIED:
                return granted
            page = following
        dies_at_ms = t0_ms + round(self._bound_seconds * 1000)
        return await self._granter.grant(self._grant(poll, page, horizon=poll.horizon, dies_at_ms=dies_at_ms))

    def _grant(self, poll: Poll, page: list[Changed], *, horizon: str = "", dies_at_ms: int = 0) -> Grant:
        return Grant(
            generation=poll.generation + poll.type_epochs,
            term=self._term,
            poll=self._polls,
            names=[changed.name for changed in page],
            versions=[changed.version for changed in page],
            horizon=horizon,
            dies_at_ms=dies_at_ms,
        )


class Relay:
    """Contends for the leadership, reigns while it has it, and gives it up when it cannot reach the cache."""

    def __init__(
        self, database: Database, granter: Granter, recorder: Recorder, *, bound_seconds: float, poll_seconds: float,
        page_size: int, change_retention_seconds: float, tombstone_retention_seconds: float,
        parameter_history_seconds: float = 90 * 86_400.0, repeat_retention_seconds: float = 86_400.0,
        on_history: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._on_history = on_history
        self._database = database
        self._granter = granter
        self._recorder = recorder
        self._bound_seconds = bound_seconds
        self._poll_seconds = poll_seconds
        self._page_size = page_size
        self._change_retention_seconds = change_retention_seconds
        self._tombstone_retention_seconds = tombstone_retention_seconds
        self._parameter_history_seconds = parameter_history_seconds
        self._repeat_retention_seconds = repeat_retention_seconds
        self._task: asyncio.Task[None] | None = None
        self._again = asyncio.Event()
        self.state = "starting"
        self.on_emptied: Callable[[], None] = lambda: None
        """Called when the cache that this leader feeds turns out to be empty: a new one, or flushed."""

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._granter.close()

    def try_again(self) -> None:
        """What it may have waited for is there: it does not rest before its next attempt."""
        self._again.set()

    async def _run(self) -> None:
        while True:
            try:
                self._on_history(await read_history(self._database))
                session = await RelaySession.lead(self._database, idle_seconds=self._bound_seconds)
                self.state = "following" if session is None else "leading"
                if session is not None:
                    await self._reign(session)
            except UnavailableError as error:
                self.state = f"waiting: {error}"
            except Exception as error:
                # This loop owns whatever else may happen to the relay: without one, no cache would ever be used again.
                self.state = f"failed: {type(error).__name__}"
                log.exception("relay_failed")
            # Longer than a follower waits: a leader that gave up lets another replica try.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._bound_seconds * (0.25 if self.state == "following" else 0.3)):
                    await self._again.wait()
            self._again.clear()

    async def _reign(self, session: RelaySession) -> None:
        """Poll until PostgreSQL ends the session, or the cache has been out of reach for longer than B."""
        try:
            term = await session.new_term()
            reign = Reign(
                session,
                self._granter,
                self._recorder,
                term=term,
                bound_seconds=self._bound_seconds,
                page_size=self._page_size,
                on_emptied=self.on_emptied,
            )
            log.info("relay_leads", term=term)
            try:
                await self._poll_on(reign)
            finally:
                log.info("relay_leads_no_more", term=term)
        finally:
            session.close()

    async def _poll_on(self, reign: Reign) -> None:
        now = time.monotonic
        reached_at, prune_at = now(), now() + 60
        while True:
            started = now()
            try:
                granted = await reign.poll()
            except CacheUnavailableError as error:
                if started - reached_at > self._bound_seconds:
                    raise
                log.debug("relay_poll_failed", reason=str(error))
            else:
                reached_at = started
                if granted is Granted.GRANTED:
                    self._on_history(reign.history)  # it moves when a table is restored
                if granted is Granted.SUPERSEDED:
                    return  # another leader's term: ours is over
                if granted not in (Granted.GRANTED, None):
                    log.warning("relay_poll_not_granted", answer=granted)
                if started > prune_at:
                    prune_at = started + await self._prune(reign.session)
            await asyncio.sleep(max(0.0, self._poll_seconds - (now() - started)))

    async def _prune(self, session: RelaySession) -> float:
        """One bounded step; returns the seconds until the next."""
        step = 5_000
        forgotten = await session.prune(
            changes_after_seconds=self._change_retention_seconds,
            tombstones_after_seconds=self._tombstone_retention_seconds,
            at_most=step,
        )
        versions = await session.prune_history(after_seconds=self._parameter_history_seconds, at_most=step)
        repeats = await session.prune_repeats(after_seconds=self._repeat_retention_seconds, at_most=step)
        return 1.0 if max(forgotten, versions, repeats) >= step else 60.0


def _without_changes(poll: Poll) -> Poll:
    return replace(poll, page=[], oldest_age_seconds=0.0)


def _why_unknown(watermark: Watermark | None, poll: Poll) -> str | None:
    """Why nobody can say what an instance of this generation has missed; None where the changes kept can tell."""
    if watermark is None:
        return "no watermark"  # an empty instance, or an evicted watermark beside entries that are still there
    if watermark.generation != poll.generation:
        return "another generation"  # which may have been there before, and come back with a table put back
    xmin, xmax, _ = watermark.horizon.split(":")
    if int(xmin) <= poll.pruned_xid:
        return "changes pruned"  # a very old snapshot
    if int(xmax) > int(poll.horizon.split(":")[1]):
        return "watermark ahead of PostgreSQL"  # which was set back to an earlier state, by a copy of its files
    return None
