-- prune_changes: forget at most $2 changes that are older than $1 seconds and applied; remember how far.
WITH gone AS (
    DELETE FROM change WHERE version IN (
        SELECT c.version FROM change c, ledger l
        WHERE c.at < clock_timestamp() - make_interval(secs => $1)
          AND l.generation = aside_generation() AND pg_visible_in_snapshot(c.xid, l.applied::pg_snapshot)
        ORDER BY c.version LIMIT $2
    ) RETURNING xid
), marked AS (
    UPDATE ledger SET pruned_xid = greatest(pruned_xid, (SELECT max(xid) FROM gone))
    WHERE EXISTS (SELECT FROM gone)
)
SELECT count(*) FROM gone
