"""Bugs planted in SQL and in the schema."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant, mutant

SCHEMA = "alembic/versions/0001_entities.py"
SQL = "service/db/sql"

_NO_STATEMENT = "SELECT 1;"
_UNSEEN = (
    "WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot)"
)

TRIGGERS = (
    mutant(
        "no change row for an insert",
        SCHEMA,
        """CREATE TRIGGER entity_inserted AFTER INSERT ON entity REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION aside_note_changes();""",
        _NO_STATEMENT,
        "test_plain_sql.py::test_r15_a_plain_insert_is_seen_after_the_next_poll",
        "test_plain_sql.py::test_r15_a_plain_delete_is_seen_after_the_next_poll",
    ),
    mutant(
        "no change row for an update",
        SCHEMA,
        """CREATE TRIGGER entity_updated AFTER UPDATE ON entity REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION aside_note_changes();""",
        _NO_STATEMENT,
        "test_plain_sql.py::test_r15_a_plain_update_is_seen_after_the_next_poll",
        "test_outages.py::test_r5_the_relay_carries_what_a_writer_that_crashed_after_its_commit_did_not",
    ),
    mutant(
        "a plain delete leaves nothing",
        SCHEMA,
        "CREATE TRIGGER entity_deleted AFTER DELETE ON entity FOR EACH ROW EXECUTE FUNCTION aside_bury();",
        _NO_STATEMENT,
        "test_plain_sql.py::test_r15_a_plain_delete_is_seen_after_the_next_poll",
    ),
    mutant(
        "a rename leaves nothing",
        SCHEMA,
        "WHEN ((OLD.entity_type, OLD.id) IS DISTINCT FROM (NEW.entity_type, NEW.id)) EXECUTE FUNCTION aside_bury();",
        "WHEN (false) EXECUTE FUNCTION aside_bury();",
        "test_plain_sql.py::test_r15_a_rename_is_seen_under_both_names_after_the_next_poll",
    ),
    mutant(
        "a truncate begins no epoch",
        "alembic/versions/0003_absence.py",
        "SET number = greatest(number + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint),\n"
        "                     truncated_version",
        "SET truncated_version",
        "test_plain_sql.py::test_r15_a_truncate_is_seen_after_the_next_poll",
    ),
    mutant(
        "a truncate of the changes begins no epoch",
        SCHEMA,
        "CREATE TRIGGER change_truncated AFTER TRUNCATE ON change FOR EACH STATEMENT "
        "EXECUTE FUNCTION aside_next_epoch();",
        _NO_STATEMENT,
        "test_plain_sql.py::test_r15_changes_that_somebody_threw_away_are_not_missed",
    ),
    mutant(
        "another table is the same generation",
        SCHEMA,
        "'entity'::regclass::oid)), 10)",
        "'')), 10)",
        "test_plain_sql.py::test_r15_a_restored_table_is_seen_after_the_next_poll",
    ),
    mutant(
        "a tombstone is in the way of a plain insert",
        SCHEMA,
        "IF NOT NEW.deleted AND (",
        "IF false AND (",
        "test_plain_sql.py::test_r15_a_plain_delete_and_insert_is_seen_after_the_next_poll",
    ),
    mutant(
        "a tombstone is in the way of a rename",
        SCHEMA,
        "TG_OP = 'INSERT' OR (OLD.entity_type, OLD.id) IS DISTINCT FROM (NEW.entity_type, NEW.id)",
        "TG_OP = 'INSERT'",
        "test_plain_sql.py::test_r15_a_rename_onto_a_name_that_was_deleted_is_as_good_as_an_insert",
    ),
    Mutant(
        "a version is taken before the row is locked",
        (
            Edit(
                SCHEMA,
                "NEW.version := nextval('entity_version');",
                "IF TG_OP = 'INSERT' OR NEW.version = OLD.version THEN\n"
                "        NEW.version := nextval('entity_version');\n    END IF;",
            ),
            Edit(f"{SQL}/put.sql", "deleted = false", "deleted = false, version = excluded.version"),
        ),
        ("test_writes.py::test_r4_versions_grow_in_the_order_of_commits",),
    ),
)

STATEMENTS = (
    mutant(
        "a deletion leaves no tombstone of a newer version",
        f"{SQL}/delete.sql",
        "UPDATE entity AS e\nSET deleted = true\n",
        "DELETE FROM entity AS e\n",
        "test_writes.py::test_r3_what_was_deleted_is_gone_from_every_replicas_cache",
    ),
    mutant(
        "If-Match is not checked by a put",
        f"{SQL}/put_if_match.sql",
        "cardinality($5::bigint[]) = 0",
        "cardinality($5::bigint[]) >= 0",
        "test_conditions.py::test_r26_what_was_read_from_the_cache_is_not_written_back_over_something_newer",
        "test_conditions.py::test_r26_of_two_writers_that_read_the_same_one_is_refused[put]",
    ),
    mutant(
        "If-Match is not checked by a patch",
        f"{SQL}/patch.sql",
        "coalesce(cardinality($5::bigint[]), 0) = 0",
        "coalesce(cardinality($5::bigint[]), 0) >= 0",
        "test_conditions.py::test_r26_what_was_read_from_the_cache_is_not_patched_or_deleted_in_a_newer_state[patch]",
        "test_conditions.py::test_r26_of_two_writers_that_read_the_same_one_is_refused[patch]",
    ),
    mutant(
        "If-Match is not checked by a deletion",
        f"{SQL}/delete.sql",
        "coalesce(cardinality($3::bigint[]), 0) = 0",
        "coalesce(cardinality($3::bigint[]), 0) >= 0",
        "test_conditions.py::test_r26_what_was_read_from_the_cache_is_not_patched_or_deleted_in_a_newer_state[delete]",
    ),
    mutant(
        "If-None-Match is not checked",
        f"{SQL}/put.sql",
        "WHERE e.deleted OR NOT $5::boolean",
        "WHERE e.deleted OR $5::boolean IS NOT NULL",
        "test_conditions.py::test_r26_of_two_writers_that_create_the_same_one_is_refused",
    ),
    mutant(
        "the relay goes on from the highest number that it has seen",
        f"{SQL}/relay_poll.sql",
        _UNSEEN,
        "WHERE xid >= pg_snapshot_xmax($1::text::pg_snapshot)",
        "test_relay_horizons.py::test_r21_a_change_with_a_lower_number_that_commits_later_is_carried",
        "test_relay_horizons.py::test_r21_a_change_that_was_open_at_the_last_poll_of_one_leader_is_carried_by_the_next",
    ),
    mutant(
        "the relay waits for the oldest transaction",
        f"{SQL}/relay_poll.sql",
        _UNSEEN,
        f"{_UNSEEN} AND xid < pg_snapshot_xmin(pg_current_snapshot())",
        "test_relay_horizons.py::test_r22_a_long_transaction_holds_back_the_horizon_and_nobody_elses_changes",
    ),
    mutant(
        "the ledger takes any change for applied",
        f"{SQL}/coverage.sql",
        "NOT pg_visible_in_snapshot(c.xid, l.applied::pg_snapshot)",
        "false",
        "test_repairs.py::test_r8c_a_reader_whose_repair_fails_waits_until_no_heartbeat_can_be_alive",
        "test_relay_horizons.py::test_r21_a_write_is_not_told_while_its_change_is_above_the_horizon_that_was_applied",
        "test_outages.py::test_r6_a_write_that_cannot_be_applied_is_acknowledged_when_no_heartbeat_can_be_alive",
    ),
    mutant(
        "the ledger takes any loaded row for applied",
        f"{SQL}/load_with_coverage.sql",
        "NOT pg_visible_in_snapshot(c.xid, l.applied)",
        "false",
        "test_repairs.py::test_r8c_a_reader_in_a_long_outage_asks_the_ledger_with_its_load",
    ),
    mutant(
        "the ledger knows no generation",
        f"{SQL}/coverage.sql",
        "l.generation IS NOT DISTINCT FROM aside_generation() AND",
        "true AND",
        "test_repairs.py::test_r8c_a_reader_that_cannot_tell_of_a_truncate_waits_too[short-carried]",
    ),
    mutant(
        "the ledger knows no generation of loaded rows",
        f"{SQL}/load_with_coverage.sql",
        "l.generation IS NOT DISTINCT FROM l.current AND",
        "true AND",
        "test_repairs.py::test_r8c_a_reader_that_cannot_tell_of_a_truncate_waits_too[long-carried]",
    ),
    mutant(
        "grants are not noted",
        f"{SQL}/relay_note.sql",
        "WHERE run_id IS DISTINCT FROM $1 OR granted_until",
        "WHERE false AND run_id IS DISTINCT FROM $1 AND granted_until",
        "test_outages.py::test_r6_a_write_that_cannot_be_applied_is_acknowledged_when_no_heartbeat_can_be_alive",
        "test_repairs.py::test_r8c_a_reader_whose_repair_fails_waits_until_no_heartbeat_can_be_alive",
    ),
    mutant(
        "a new leader does not ask for another server's heartbeat",
        f"{SQL}/relay_granted_elsewhere.sql",
        "run_id IS NOT NULL AND run_id <> $1 AS moved",
        "false AS moved",
        "test_restarts.py::test_r12_a_new_leader_waits_for_the_heartbeat_of_the_old_primary_too",
    ),
    mutant(
        "pruning does not remember how far it went",
        f"{SQL}/prune_changes.sql",
        "greatest(pruned_xid, (SELECT max(xid) FROM gone))",
        "pruned_xid",
        "test_restarts.py::test_r11_an_instance_that_cannot_say_what_it_has_missed_begins_a_new_generation",
    ),
    mutant(
        "pruning forgets what was not carried",
        f"{SQL}/prune_changes.sql",
        "AND l.generation = aside_generation() AND pg_visible_in_snapshot(c.xid, l.applied::pg_snapshot)",
        "",
        "test_outages.py::test_r5_no_change_is_forgotten_before_it_was_carried",
    ),
    mutant(
        "what a TRUNCATE took away has no version",
        f"{SQL}/load.sql",
        "coalesce(e.version, t.truncated_version)",
        "coalesce(e.version, 0)",
        "test_plain_sql.py::test_r15_a_late_write_through_does_not_go_over_what_a_truncate_left",
    ),
)

MUTANTS = TRIGGERS + STATEMENTS
