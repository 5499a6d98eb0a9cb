"""Bugs planted in the Lua scripts."""

from __future__ import annotations

from tests.mutants.mutant import mutant

ENTRY = "service/cache/scripts/entry.lua"
FILL = "service/cache/scripts/fill.lua"
LEASE = "service/cache/scripts/lease.lua"
GRANT = "service/cache/scripts/grant.lua"

_ABSENT = "if head == '' then return 'absent' end"
_TOKEN = "  if token and generation ~= '-' then\n"
_PUT = "redis.call('SET', key, payload, 'PXAT', stale_until) return 'replaced'"
_HOLDS_THE_LEASE = "if mine and tonumber(ARGV[at + 2]) >= tonumber(floor) then"

MUTANTS = (
    mutant(
        "an apply does not raise a lease's floor",
        ENTRY,
        "if tonumber(version) > tonumber(floor) then",
        "if false then",
        "test_fills.py::test_r1_a_reader_cannot_fill_an_old_value_after_an_invalidation",
        "test_repairs.py::test_r8_a_reader_that_bypassed_leaves_no_room_for_an_old_fill",
        "test_repairs.py::test_r8b_a_refused_fill_leaves_no_room_for_an_older_one",
        "test_restarts.py::test_r11_a_lease_that_came_back_with_an_old_snapshot_fills_nothing_old",
    ),
    mutant(
        "a fill goes below the floor",
        FILL,
        _HOLDS_THE_LEASE,
        "if mine then",
        "test_fills.py::test_r1_a_reader_cannot_fill_an_old_value_after_an_invalidation",
        "test_fills.py::test_r9_absence_is_not_cached_over_a_key_that_is_being_created",
        "test_writes.py::test_r2b_a_write_through_fills_nothing_once_a_newer_write_has_raised_its_floor",
        "test_writes.py::test_r3_a_key_that_was_deleted_and_created_again_has_a_higher_version",
    ),
    mutant(
        "absence is filled below the floor",
        FILL,
        "tonumber(ARGV[at + 2]) >= tonumber(floor)",
        "(ARGV[at + 2] == '0' or tonumber(ARGV[at + 2]) >= tonumber(floor))",
        "test_fills.py::test_r9_absence_is_not_cached_over_a_key_that_is_being_created",
    ),
    mutant(
        "a fill goes under anybody's lease",
        FILL,
        _HOLDS_THE_LEASE,
        "if token and tonumber(ARGV[at + 2]) >= tonumber(floor) then",
        "test_fills.py::test_r18_a_loader_that_slept_past_its_lease_cannot_fill_under_the_next_one",
    ),
    mutant(
        "a fill goes where nothing is",
        FILL,
        _HOLDS_THE_LEASE,
        f"if head == '' or ({_HOLDS_THE_LEASE[3:-5]}) then",
        "test_fills.py::test_r10_a_fill_without_its_lease_is_refused",
        "test_writes.py::test_r2b_a_write_through_fills_only_under_the_lease_that_it_took_before_its_commit",
        "test_joining.py::test_r19_a_flush_takes_no_write_back",
    ),
    mutant(
        "a fill goes over a value",
        FILL,
        _HOLDS_THE_LEASE,
        f"if (head and versioned(head)) or ({_HOLDS_THE_LEASE[3:-5]}) then",
        "test_fills.py::test_r18_a_loader_that_slept_past_its_lease_cannot_fill_over_a_newer_value",
    ),
    mutant(
        "a refused fill leaves its lease",
        FILL,
        "if mine then redis.call('UNLINK', KEYS[i]) end",
        "",
        "test_fills.py::test_r1_a_refused_fill_leaves_no_dead_lease_behind",
    ),
    mutant(
        "a row that is not there leaves a lease as it was",
        ENTRY,
        _TOKEN,
        "  if token then\n",
        "test_plain_sql.py::test_r15_a_truncate_that_one_reader_has_seen_is_seen_by_all[another table]",
    ),
    mutant(
        "a write-through installs where nothing is",
        ENTRY,
        _ABSENT,
        f"if head == '' and mode == 'replace' then {_PUT} end {_ABSENT}",
        "test_writes.py::test_r2b_a_late_write_through_installs_nothing_where_nothing_is",
    ),
    mutant(
        "a refresh installs where nothing is",
        ENTRY,
        _ABSENT,
        f"if head == '' and mode == 'renew' then {_PUT} end {_ABSENT}",
        "test_refreshes.py::test_r27_an_early_refresh_does_not_bring_back_what_was_deleted",
        "test_refreshes.py::test_r27_a_renewal_of_what_has_expired_does_not_bring_back_what_was_deleted",
    ),
    mutant(
        "a write-through installs over a lease",
        ENTRY,
        _TOKEN,
        f"  if token and mode == 'replace' then {_PUT} end\n{_TOKEN}",
        "test_writes.py::test_r2b_a_late_write_through_installs_nothing_over_a_lease",
    ),
    mutant(
        "a refresh installs over a lease",
        ENTRY,
        _TOKEN,
        f"  if token and mode == 'renew' then {_PUT} end\n{_TOKEN}",
        "test_refreshes.py::test_r27_an_early_refresh_does_not_put_an_old_value_over_a_lease",
    ),
    mutant(
        "versions are not compared",
        ENTRY,
        "local older = tonumber(held) < tonumber(version)",
        "local older = true",
        "test_writes.py::test_r2_of_two_write_throughs_that_cross_the_newer_stays",
        "test_writes.py::test_r3_a_late_deletion_does_not_take_away_what_was_created_after_it",
    ),
    mutant(
        "versions are compared as text",
        ENTRY,
        "tonumber(held) < tonumber(version)",
        "held < version",
        "test_writes.py::test_r7_every_strategy_shows_a_replica_what_another_has_acknowledged",
    ),
    mutant(
        "a refresh goes over something newer",
        ENTRY,
        "(equal and mode == 'renew')",
        "(mode == 'renew')",
        "test_refreshes.py::test_r27_an_early_refresh_does_not_put_an_old_value_over_a_new_one",
    ),
    mutant(
        "versions of two generations are compared",
        ENTRY,
        "if held and held_generation == generation then",
        "if held then",
        "test_plain_sql.py::test_r15_a_truncate_that_a_reader_around_the_cache_has_seen_is_seen_by_all[another table]",
    ),
    mutant(
        "everybody gets the lease",
        LEASE,
        "if token and token ~= before then",
        "if false then",
        "test_joining.py::test_r19_after_a_flush_one_reader_of_all_replicas_loads_a_hot_key",
    ),
    mutant(
        "a lease that is asked for again waits for its first copy's",
        LEASE,
        "ARGV[i + #KEYS]",
        "nil",
        "test_late_copies.py::test_r29_a_lease_that_is_asked_for_twice_is_held_once",
    ),
    mutant(
        "a grant is not bound to its server",
        GRANT,
        "if run_id ~= ARGV[1] then return 'restarted' end",
        "",
        "test_restarts.py::test_r13_a_grant_that_straddles_a_restart_is_refused",
    ),
    mutant(
        "an older leader's script counts",
        GRANT,
        "if my_term < term or (my_term == term and my_poll < poll) then return 'superseded' end",
        "",
        "test_plain_sql.py::test_r15_a_past_generation_is_not_brought_back_by_a_late_script",
    ),
    mutant(
        "a grant applies nothing",
        GRANT,
        "apply(KEYS[i], ARGV[i + 4], label(ARGV[2], KEYS[i]), 'drop', '', '')",
        "",
        "test_outages.py::test_r5_the_relay_carries_what_a_writer_that_crashed_after_its_commit_did_not",
        "test_restarts.py::test_r11_an_old_snapshot_is_brought_up_from_its_own_watermark",
        "test_restarts.py::test_r11_a_lease_that_came_back_with_an_old_snapshot_fills_nothing_old",
    ),
    mutant(
        "only the last page is applied",
        GRANT,
        "for i = 3, #KEYS do",
        "if ARGV[5] == '' then return 'applied' end\nfor i = 3, #KEYS do",
        "test_relay_horizons.py::test_r22_changes_of_many_pages_are_all_carried_before_the_grant",
    ),
    mutant(
        "a heartbeat lives longer than the bound",
        GRANT,
        "redis.call('SET', KEYS[1], run_id .. '|' .. ARGV[2], 'PXAT', ARGV[6])",
        "redis.call('SET', KEYS[1], run_id .. '|' .. ARGV[2], 'PX', 60000)",
        "test_outages.py::test_r6_a_write_that_cannot_be_applied_is_acknowledged_when_no_heartbeat_can_be_alive",
    ),
)
