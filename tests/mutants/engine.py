"""Bugs planted in the engine: reads, writes, repairs, joining, connections."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant, mutant

CARRIED = "service/cache/carried.py"
ENGINE = "service/cache/engine.py"
MISSING = "service/cache/missing.py"
SETTLING = "service/cache/settling.py"
STORE = "service/cache/redis_store.py"
WRITING = "service/services/writing.py"
BATCH = "service/cache/batch.py"
LANE = "service/cache/lane.py"
ATTEMPTS = "service/cache/lease_attempts.py"

_APPLY = "applied = await self._settler.try_apply(change)"
_WRITE_IS_DEFERRED = (
    "test_outages.py::test_r6_a_write_that_cannot_be_applied_is_acknowledged_when_no_heartbeat_can_be_alive"
)
_READ_IS_DEFERRED = "test_repairs.py::test_r8c_a_reader_whose_repair_fails_waits_until_no_heartbeat_can_be_alive"

WRITES = (
    mutant(
        "a write is not applied",
        ENGINE,
        _APPLY,
        "applied = True",
        "test_fills.py::test_r1_a_reader_cannot_fill_an_old_value_after_an_invalidation",
        "test_writes.py::test_r7_every_strategy_shows_a_replica_what_another_has_acknowledged",
        "test_fills.py::test_r9_cached_absence_ends_with_the_write_that_creates_the_key",
    ),
    mutant(
        "a write is acknowledged before it is applied",
        ENGINE,
        _APPLY,
        "applied = bool(self._tasks.start(self._settler.try_apply(change)))",
        "test_writes.py::test_r7_an_invalidation_comes_before_the_acknowledgement",
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
        ("test_writes.py::test_r7_an_invalidation_comes_after_the_commit",),
    ),
    mutant(
        "a write-through takes its lease after the commit",
        ENGINE,
        "        if not self._store.available:\n            applied = False",
        "        if change.install is not None and intent.lease is None:\n"
        "            leased = await self._store.lease(name, new_token(), for_write=True)\n"
        "            intent = Intent(leased.lease, generation)\n"
        "        if not self._store.available:\n            applied = False",
        "test_writes.py::test_r2b_a_late_write_through_installs_nothing_where_nothing_is",
    ),
    mutant(
        "a write that was refused keeps its lease",
        ENGINE,
        "        if intent.lease is not None:\n            self._tasks.start(self._store.abandon(name))",
        "        pass",
        "test_writes.py::test_r2b_a_write_through_that_did_not_happen_gives_its_lease_back",
    ),
    mutant(
        "a write whose apply failed is acknowledged at once",
        ENGINE,
        "if not applied and wait:",
        "if False:",
        _WRITE_IS_DEFERRED,
        "test_outages.py::test_r6_a_write_whose_apply_is_not_answered_counts_as_not_applied",
        "test_restarts.py::test_r12_a_write_told_to_a_primary_without_a_heartbeat_does_not_count",
        "test_outages.py::test_r6_a_grant_is_noted_before_the_poll_that_it_vouches_for",
    ),
    mutant(
        "nothing is waited out",
        SETTLING,
        "if coverage.covered or left <= 0:",
        "if True:",
        _WRITE_IS_DEFERRED,
        _READ_IS_DEFERRED,
    ),
    mutant(
        "a write is told to Redis only once",
        SETTLING,
        "if self._store.available and await self.try_apply(change):",
        "if False:",
        "test_outages.py::test_r6_a_write_is_told_to_redis_again_as_soon_as_that_is_back",
    ),
    mutant(
        "an apply counts on any server",
        STORE,
        "counts = not self._fails_over or heartbeat.partition",
        "counts = True or heartbeat.partition",
        "test_restarts.py::test_r12_a_write_told_to_a_primary_without_a_heartbeat_does_not_count",
    ),
    mutant(
        "nobody sees that no heartbeat can be alive",
        "service/db/entities.py",
        'covered=record["applied"] or wait_seconds <= 0',
        'covered=record["applied"]',
        "test_outages.py::test_r6_a_long_outage_delays_no_write",
    ),
)

READS = (
    mutant(
        "a heartbeat of any server will do",
        STORE,
        "if run_id != lane.run_id:",
        "if False:",
        "test_restarts.py::test_r11_a_heartbeat_that_came_back_with_an_old_snapshot_vouches_for_nothing",
    ),
    mutant(
        "a reader that bypassed does not repair",
        MISSING,
        "        await self._make_safe(visit, self._change(visit, loaded), time.monotonic(), loaded)\n",
        "",
        "test_repairs.py::test_r8_a_reader_that_bypassed_leaves_no_room_for_an_old_fill",
        "test_repairs.py::test_r8_a_reader_that_bypassed_a_cached_value_replaces_it",
        "test_repairs.py::test_r8_a_reader_that_bypassed_and_found_a_tombstone_says_so",
        "test_plain_sql.py::test_r15_a_plain_update_that_one_reader_has_seen_is_seen_by_all",
        _READ_IS_DEFERRED,
    ),
    mutant(
        "a reader whose fill was refused does not repair",
        MISSING,
        "        await self._make_safe(visit, self._change(visit, loaded), since)\n",
        "",
        "test_repairs.py::test_r8b_a_refused_fill_leaves_no_room_for_an_older_one",
    ),
    mutant(
        "a reader that could not repair answers all the same",
        MISSING,
        "if coverage is None or not coverage.covered:",
        "if False:",
        _READ_IS_DEFERRED,
        "test_repairs.py::test_r8c_a_reader_in_a_long_outage_asks_the_ledger_with_its_load",
        "test_repairs.py::test_r8c_a_reader_that_cannot_tell_of_a_truncate_waits_too[long-carried]",
    ),
    mutant(
        "a carried miss whose fill was refused does not repair",
        CARRIED,
        "self._then(carrier.go_on(carrier.missing.end_refused(visit, self._loaded, since)))",
        "self._end(visit.answer_row(self._loaded.row, Outcome.MISS, Detail.FILL_REFUSED))",
        "test_repairs.py::test_r8b_a_refused_fill_leaves_no_room_for_an_older_one",
    ),
    mutant(
        "a carried read without Redis answers all the same",
        CARRIED,
        "if loaded.coverage is not None and loaded.coverage.covered:",
        "if True:",
        "test_repairs.py::test_r8c_a_reader_in_a_long_outage_asks_the_ledger_with_its_load",
    ),
    mutant(
        "a carried miss fills under no lease of its own",
        CARRIED,
        "elif leased is not None and leased.reading.generation is not None:",
        "elif leased is not None and leased.reading.generation is not None and leased.reading.raw is None:\n"
        "            self._lease = Lease(b'none', leased.reading.generation)\n"
        "            carrier.loads.ask(visit.name, self._came)\n"
        "        elif leased is not None and leased.reading.generation is not None:",
        "test_joining.py::test_r19_after_a_flush_one_reader_of_all_replicas_loads_a_hot_key",
    ),
    mutant(
        "a carried miss that cannot load keeps its lease",
        CARRIED,
        "carrier.abandon(visit.name)  # let",
        "pass  # let",
        "test_cancellations.py::test_r25_a_reader_that_cannot_load_gives_its_lease_back",
    ),
    mutant(
        "a carried flight lasts for ever",
        CARRIED,
        "        self._carrier.missing.end(self._visit.name)\n",
        "",
        "tests/unit/cache/test_carried.py::test_what_nobody_thought_of_is_told_and_the_next_reader_may_lead",
    ),
    mutant(
        "a hit of any generation will do",
        ENGINE,
        "if entry is None or entry.generation != generation:",
        "if entry is None:",
        "test_plain_sql.py::test_r15_a_truncate_is_seen_after_the_next_poll",
        "test_plain_sql.py::test_r15_a_restored_table_is_seen_after_the_next_poll",
    ),
    mutant(
        "a second look takes any generation",
        MISSING,
        "if entry is None or reading.generation is None or entry.generation != reading.generation:",
        "if entry is None or reading.generation is None:",
        "test_plain_sql.py::test_r15_a_truncate_is_seen_after_the_next_poll",
    ),
    mutant(
        "a fill is labelled with the generation of its own moment",
        MISSING,
        "visit.name, visit.policy, row, generation=lease.generation, cost_ms=loaded.cost_ms",
        "visit.name, visit.policy, row, generation=self._store.generation_of(visit.name), cost_ms=loaded.cost_ms",
        "test_plain_sql.py::test_r15_a_fill_of_a_past_generation_is_not_read_in_the_next",
    ),
    mutant(
        "a reader that cannot load keeps its lease",
        MISSING,
        "self._tasks.start(self._store.abandon(visit.name))",
        "pass",
        "test_cancellations.py::test_r25_a_reader_that_cannot_load_gives_its_lease_back",
    ),
    mutant(
        "an entry does not name its key",
        "service/cache/codec.py",
        "named != name.encode() or ",
        "",
        "test_cancellations.py::test_r25_a_connection_out_of_step_hands_nobody_anothers_value",
    ),
    mutant(
        "a refresh creates what is gone",
        "service/cache/refreshing.py",
        "applying = self._store.apply(change)",
        "await self._store.lease(name, token := new_token(), for_write=True)\n"
        "                if change.install is not None:\n"
        "                    await self._store.fill(name, token, change.version, change.install)\n"
        "                applying = self._store.apply(change)",
        "test_refreshes.py::test_r27_an_early_refresh_does_not_bring_back_what_was_deleted",
    ),
    mutant(
        "a refresh renews nothing",
        "service/cache/refreshing.py",
        "await self.renew(name, policy, generation)",
        "pass",
        "test_refreshes.py::test_r27_an_early_refresh_brings_what_is_new",
    ),
)

JOINING = (
    mutant(
        "a reader joins a query under way",
        "service/services/loading.py",
        "return await patiently(self._batch.submit(want), self._timeout_seconds)",
        'flying = self.__dict__.setdefault("_flying", {})\n'
        "            if want not in flying or flying[want].done():\n"
        "                flying[want] = self._batch.submit(want)\n"
        "            return await flying[want]",
        "test_joining.py::test_r20_a_reader_joins_no_query_that_was_sent_before_it_came",
    ),
    mutant(
        "a carried read joins a query under way",
        "service/services/loading.py",
        "self._batch.notify(want, self._rounds.bound(then, self._timeout_seconds, _too_busy))",
        'flying = self.__dict__.setdefault("_flying", {})\n'
        "        if want not in flying:\n"
        "            flying[want] = []\n"
        "            self._batch.notify(want, lambda *told: [each(*told) for each in flying.pop(want)])\n"
        "        flying[want].append(then)",
        "test_joining.py::test_r20_a_reader_without_redis_joins_no_query_that_was_sent_before_it_came",
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
        ("test_joining.py::test_r20_a_reader_is_not_handed_what_its_processs_leader_loaded_before_it_came",),
    ),
    mutant(
        "every reader of a process asks for the lease",
        "service/cache/flight.py",
        "        if key in self._ended:\n            return False\n",
        "",
        "test_joining.py::test_r19_after_a_flush_one_reader_of_all_replicas_loads_a_hot_key",
    ),
    mutant(
        "any number of queries at once",
        BATCH,
        "self._drain(self._idle.pop())",
        "self._drain(self._idle[0])",
        "test_joining.py::test_r19_after_a_flush_at_full_load_few_queries_carry_many_readers",
    ),
    Mutant(
        "a cancelled waiter breaks its batch",
        (
            Edit(BATCH, "    if future.done():\n        return\n    if error is None:", "    if error is None:"),
            Edit(BATCH, "except Exception as defect:  # noqa: BLE001", "except ArithmeticError as defect:"),
        ),
        ("test_cancellations.py::test_r25_a_storm_of_cancelled_requests_hands_nobody_anothers_value",),
    ),
    mutant(
        "what must finish is cancelled with its client",
        "service/cache/tasks.py",
        "return await asyncio.shield(self.start(work))",
        "return await work",
        "test_cancellations.py::test_r25_a_write_whose_client_is_gone_is_told_to_the_cache_all_the_same",
        "test_cancellations.py::test_r25_a_reader_that_goes_away_while_it_loads_for_others_loads_on",
    ),
    mutant(
        "a lease is asked for again under its token",
        ATTEMPTS,
        'self.tokens = [b"%b.%d" % (token, self._attempt) for token in self._first]',
        "self.tokens = self._first",
        "test_late_copies.py::test_r29_a_fill_that_was_sent_twice_finds_no_lease_that_was_asked_for_twice",
        "test_late_copies.py::test_r29_a_write_through_that_was_sent_twice_finds_no_lease_that_was_asked_for_twice",
        "test_late_copies.py::test_r29_a_lease_that_expired_does_not_come_back",
        "test_late_copies.py::test_w12_the_leases_of_a_page_that_expired_do_not_come_back",
    ),
    Mutant(
        "a connection is used again after a timeout",
        (
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
        ),
        ("test_cancellations.py::test_r25_a_connection_whose_reply_came_too_late_is_not_used_again",),
    ),
)

MUTANTS = WRITES + READS + JOINING
