"""Bugs planted in the relay and in the clocks."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant, mutant

RELAY = "service/services/relay.py"
GRANTS = "service/cache/grants.py"

_NOTE = "        await self.session.note(run_id, self._bound_seconds)\n"
_POLL = (
    "        since, poll = await self._first_poll() if self._horizon is None"
    " else await self._poll_since(self._horizon)\n"
)
_LEDGER = "test_outages.py::test_r6_a_grant_is_noted_before_the_poll_that_it_vouches_for"

MUTANTS = (
    mutant("a grant is noted after its poll", RELAY, _NOTE + _POLL, _POLL + _NOTE, _LEDGER),
    mutant(
        "a heartbeat's time begins after the poll",
        RELAY,
        "dies_at_ms = t0_ms + round",
        "dies_at_ms = await self._granter.now_ms() + round",
        _LEDGER,
    ),
    mutant(
        "what was applied is not noted",
        RELAY,
        "await self.session.applied(*self._noted)",
        "pass",
        "test_outages.py::test_r6_a_write_is_acknowledged_as_soon_as_the_relay_has_carried_it",
        "test_repairs.py::test_r8c_a_reader_that_cannot_reach_redis_answers_once_the_relay_has_told_all_others",
    ),
    mutant(
        "another server's heartbeat is not waited out",
        RELAY,
        "if self._horizon is None and await self.session.granted_elsewhere_seconds(run_id) > 0:",
        "if False:",
        "test_restarts.py::test_r12_no_heartbeat_is_granted_on_a_new_primary_while_one_may_live_on_the_old",
        "test_restarts.py::test_r12_a_new_leader_waits_for_the_heartbeat_of_the_old_primary_too",
    ),
    mutant(
        "what one server has applied is taken for another's",
        RELAY,
        "self._run_id, self._horizon = run_id, None",
        "self._run_id = run_id",
        "test_restarts.py::test_r11_an_old_snapshot_is_brought_up_from_its_own_watermark",
        "test_restarts.py::test_r11_a_lease_that_came_back_with_an_old_snapshot_fills_nothing_old",
    ),
    mutant(
        "nothing is replayed from the watermark",
        RELAY,
        "return since, await self.session.poll(since, page_size=self._page_size)",
        "return poll.horizon, _without_changes(poll)",
        "test_restarts.py::test_r11_an_old_snapshot_is_brought_up_from_its_own_watermark",
        "test_relay_horizons.py::test_r21_a_change_that_was_open_at_the_last_poll_of_one_leader_is_carried_by_the_next",
    ),
    mutant(
        "nobody asks whether changes were forgotten",
        RELAY,
        "if int(xmin) <= poll.pruned_xid:",
        "if False:",
        "test_restarts.py::test_r11_an_instance_that_cannot_say_what_it_has_missed_begins_a_new_generation",
    ),
    mutant(
        "a lost watermark is nothing special",
        RELAY,
        'return "no watermark"',
        "return None",
        "test_restarts.py::test_r11_an_instance_without_a_watermark_begins_a_new_generation",
    ),
    mutant(
        "a replica lives on its host's clock",
        "service/cache/pulse.py",
        "return int(time.monotonic() * 1000 + self._offset_ms)",
        "return int(time.time() * 1000)",
        "test_clocks.py::test_r17_a_replica_whose_clock_is_wrong_fills_and_reads_as_the_others[behind]",
        "test_clocks.py::test_r17_a_replica_whose_clock_is_wrong_fills_and_reads_as_the_others[ahead]",
    ),
    mutant(
        "a heartbeat lives on the relay's clock",
        GRANTS,
        "return int(seconds) * 1000 + int(micros) // 1000",
        "return int(time.time() * 1000)",
        "test_clocks.py::test_r17_a_relay_whose_clock_is_wrong_grants_no_longer_than_the_bound[ahead]",
        "test_clocks.py::test_r17_a_relay_whose_clock_is_wrong_grants_no_longer_than_the_bound[behind]",
    ),
    mutant(
        "the watermark is read from whatever server answers",
        GRANTS,
        'self._lane.call("GET", WATERMARK, once=True)',
        'self._lane.call("GET", WATERMARK)',
        "test_restarts.py::test_r13_a_leaders_first_poll_that_straddles_a_failover_grants_nothing",
    ),
    mutant(
        "a generation that comes back is trusted",
        RELAY,
        "            await self.session.next_epoch()\n",
        "            if reason != 'another generation':\n                await self.session.next_epoch()\n",
        "test_plain_sql.py::test_r15_a_table_put_back_in_its_place_is_not_read_as_it_was_cached_before",
    ),
    Mutant(
        "a script is sent again on another server's connection, with that server's name",
        (
            Edit(GRANTS, "*grant.versions), once=True)", "*grant.versions), once=False)"),
            Edit("service/cache/scripts/grant.lua", "if run_id ~= ARGV[1] then return 'restarted' end", ""),
        ),
        ("test_restarts.py::test_r13_a_grant_whose_connection_breaks_is_not_sent_to_another_server",),
    ),
    mutant(
        "a host that dies keeps the lead",
        "service/db/changes.py",
        """                await connection.execute(f"SET idle_session_timeout = {round(idle_seconds * 1000)}")\n""",
        "",
        "test_leadership.py::test_r28_a_host_that_dies_as_it_takes_the_lead_does_not_hold_it",
    ),
    mutant(
        "a relay stays with a former primary",
        GRANTS,
        "if self._reopen_seconds is not None and now",
        "if False and now",
        "test_leadership.py::test_r12_a_relay_looks_anew_who_is_at_an_address_that_may_move[0.0-second]",
    ),
    mutant(
        "a reader stays with a former primary",
        "service/cache/redis_store.py",
        "if self._fails_over and lane.run_id != self.pulse.run_id:",
        "if False:",
        "test_leadership.py::test_r12_a_connection_to_a_former_primary_is_given_up_once_the_pulse_has_found_the_new_one",
    ),
)
