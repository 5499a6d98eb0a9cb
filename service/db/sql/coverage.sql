-- coverage: for each of the versions $1, which are committed: may a cache that readers trust hold something older?
SELECT v.version, extract(epoch FROM l.granted_until - clock_timestamp())::float8 AS wait_seconds,
       l.generation IS NOT DISTINCT FROM aside_generation() AND NOT EXISTS (
           SELECT FROM change c
           WHERE c.version = v.version AND NOT pg_visible_in_snapshot(c.xid, l.applied::pg_snapshot)
       ) AS applied
FROM ledger l CROSS JOIN unnest($1::bigint[]) AS v (version)
