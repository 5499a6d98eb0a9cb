-- coverage: whether a cache that readers trust may still hold something older than version $1, which is committed.
SELECT extract(epoch FROM l.granted_until - clock_timestamp())::float8 AS wait_seconds,
       l.generation IS NOT DISTINCT FROM aside_generation() AND NOT EXISTS (
           SELECT FROM change c
           WHERE c.version = $1 AND NOT pg_visible_in_snapshot(c.xid, l.applied::pg_snapshot)
       ) AS applied
FROM ledger l
