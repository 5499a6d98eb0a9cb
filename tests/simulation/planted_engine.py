"""Bugs planted in reads, writes, repairs, joining and connections."""

from __future__ import annotations

from tests.mutants.engine import _APPLY, ATTEMPTS, BATCH, CARRIED, ENGINE, LANE, MISSING, SETTLING, STORE, WRITING
from tests.mutants.mutant import Edit, Mutant, mutant

CODEC = "service/cache/codec.py"

_REUSED_CONNECTION = (
    Edit(
        LANE,
        "            await self.close()\n            raise _failure(error) from error",
        "            raise _failure(error) from error",
    ),
    Edit(
        LANE,
        "replies.append(await connection.read_response())",
        "replies.append(await connection.read_response(disconnect_on_error=False))",
    ),
)

ENGINE_BUGS: tuple[Mutant, ...] = (
    mutant("a write is not applied", ENGINE, _APPLY, "applied = True"),
    mutant(
        "a write is acknowledged before it is applied",
        ENGINE,
        _APPLY,
        "applied = bool(self._tasks.start(self._settler.try_apply(change)))",
    ),
    Mutant(
        "the invalidation comes before the commit",
        (
            Edit(
                WRITING,
                "row = await transact()",
                "await self._engine._store.abandon(name)\n            row = await transact()",
            ),
            Edit(ENGINE, _APPLY, "applied = True"),
        ),
        (),
    ),
    mutant(
        "a write-through takes its lease after the commit",
        ENGINE,
        "        if not self._store.available:\n            applied = False",
        "        if change.install is not None and intent.lease is None:\n"
        "            leased = await self._store.lease(name, new_token(), for_write=True)\n"
        "            intent = Intent(leased.lease, generation)\n"
        "        if not self._store.available:\n            applied = False",
    ),
    mutant("a write whose apply failed is acknowledged at once", ENGINE, "if not applied and wait:", "if False:"),
    mutant("nothing is waited out", SETTLING, "if coverage.covered or left <= 0:", "if True:"),
    mutant(
        "half of the bound is waited out", SETTLING, "deadline = since + self._bound_seconds",
        "deadline = since + self._bound_seconds / 2",
    ),
    mutant(
        "an apply counts on any server",
        STORE,
        "counts = not self._fails_over or heartbeat",
        "counts = True or heartbeat",
    ),
    mutant("a heartbeat of any server will do", STORE, "if run_id != lane.run_id:", "if False:"),
    mutant(
        "a lane stays with a server that the address has left",
        STORE,
        "if self._fails_over and lane.run_id != self.pulse.run_id:",
        "if False:",
    ),
    mutant(
        "a reader that bypassed does not repair",
        MISSING,
        "        await self._make_safe(visit, self._change(visit, loaded), time.monotonic(), loaded)\n",
        "",
    ),
    mutant(
        "a reader whose fill was refused does not repair",
        MISSING,
        "        await self._make_safe(visit, self._change(visit, loaded), since)\n",
        "",
    ),
    mutant(
        "a reader that could not repair answers all the same",
        MISSING,
        "if coverage is None or not coverage.covered:",
        "if False:",
    ),
    mutant(
        "a hit of any generation will do",
        ENGINE,
        "if entry is None or entry.generation != generation:",
        "if entry is None:",
    ),
    mutant(
        "a fill is labelled with the generation of its own moment",
        MISSING,
        "visit.name, visit.policy, row, generation=lease.generation, cost_ms=loaded.cost_ms",
        "visit.name, visit.policy, row, generation=self._store.generation_of(visit.name), cost_ms=loaded.cost_ms",
    ),
    mutant(
        "a carried miss whose fill was refused does not repair",
        CARRIED,
        "self._then(carrier.go_on(carrier.missing.end_refused(visit, self._loaded, since)))",
        "self._end(visit.answer_row(self._loaded.row, Outcome.MISS, Detail.FILL_REFUSED))",
    ),
    mutant(
        "a carried read without Redis answers all the same",
        CARRIED,
        "if loaded.coverage is not None and loaded.coverage.covered:",
        "if True:",
    ),
    mutant(
        "a refresh creates what is gone",
        "service/cache/refreshing.py",
        "applying = self._store.apply(change)",
        "await self._store.lease(name, token := new_token(), for_write=True)\n"
        "                if change.install is not None:\n"
        "                    await self._store.fill(name, token, change.version, change.install)\n"
        "                applying = self._store.apply(change)",
    ),
    mutant(
        "a reader joins a query under way",
        "service/services/loading.py",
        "return await patiently(self._batch.submit(want), self._timeout_seconds)",
        'flying = self.__dict__.setdefault("_flying", {})\n'
        "            if want not in flying or flying[want].done():\n"
        "                flying[want] = self._batch.submit(want)\n"
        "            return await flying[want]",
    ),
    mutant(
        "a reader joins a batch that was sent",
        STORE,
        "        return self._reads.submit(name)\n",
        '        flying = self.__dict__.setdefault("_flying", {})\n'
        "        if name not in flying or flying[name].done():\n"
        "            flying[name] = self._reads.submit(name)\n"
        "        return asyncio.shield(flying[name])\n",
    ),
    Mutant(
        "a leader's load is handed to who came after it",
        (
            Edit(
                MISSING,
                "        row = loaded.row\n        if row.body is None:",
                "        row = loaded.row\n"
                '        self.__dict__.setdefault("_told", {})[visit.name] = row\n'
                "        if row.body is None:",
            ),
            Edit(
                MISSING,
                "                if time.monotonic() >= give_up_at:\n",
                '                if visit.name in self.__dict__.get("_told", {}):\n'
                "                    return visit.answer_row(self._told[visit.name], Outcome.MISS, Detail.NONE)\n"
                "                if time.monotonic() >= give_up_at:\n",
            ),
        ),
        (),
    ),
    mutant(
        "a lease is asked for again under its token",
        ATTEMPTS,
        'self.tokens = [b"%b.%d" % (token, self._attempt) for token in self._first]',
        "self.tokens = self._first",
    ),
    mutant("any number of queries at once", BATCH, "self._drain(self._idle.pop())", "self._drain(self._idle[0])"),
    Mutant(
        "a cancelled waiter breaks its batch",
        (
            Edit(BATCH, "    if future.done():\n        return\n    if error is None:", "    if error is None:"),
            Edit(BATCH, "except Exception as defect:  # noqa: BLE001", "except ArithmeticError as defect:"),
        ),
        (),
    ),
    Mutant("a connection is used again after a timeout", _REUSED_CONNECTION, ()),
    Mutant(
        "an entry does not name its key, on a connection out of step",
        (*_REUSED_CONNECTION, Edit(CODEC, "named != name.encode() or ", "")),
        (),
    ),
)  # fmt: skip
