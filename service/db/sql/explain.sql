-- explain: what there is to know of one key: its row, when it was last changed, and whether the relay has applied that.
-- $1 type, $2 id. No row: it has never been, or its tombstone is gone.
SELECT e.version, NOT e.deleted AS exists, e.updated_at, e.cache_ttl_seconds, c.at AS changed_at,
       c.xid IS NOT NULL AND l.generation IS NOT DISTINCT FROM aside_generation()
           AND pg_visible_in_snapshot(c.xid, l.applied::pg_snapshot) AS applied
FROM entity e CROSS JOIN ledger l LEFT JOIN change c ON c.version = e.version
WHERE e.entity_type = $1 AND e.id = $2
