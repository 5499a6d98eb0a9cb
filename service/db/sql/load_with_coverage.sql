-- load_with_coverage: the same, and whether a cache that readers trust may still hold something older, in one snapshot.
-- A heartbeat granted after this snapshot was noted after it, and polled after that: it has applied all seen here.
SELECT k.entity_type, k.id, coalesce(e.version, l.truncated_version) AS version,
       convert_to(e.body::text, 'UTF8') AS body,
       (extract(epoch FROM e.updated_at) * 1000)::bigint AS modified_at_ms, e.cache_ttl_seconds,
       l.wait_seconds,
       l.generation IS NOT DISTINCT FROM l.current AND NOT EXISTS (
           SELECT FROM change c
           WHERE c.version = e.version AND NOT pg_visible_in_snapshot(c.xid, l.applied)
       ) AS applied
FROM unnest($1::text[], $2::text[]) AS k (entity_type, id)
LEFT JOIN entity e USING (entity_type, id)
CROSS JOIN (
    SELECT extract(epoch FROM granted_until - clock_timestamp())::float8 AS wait_seconds,
           generation, aside_generation() AS current, applied::pg_snapshot AS applied, truncated_version
    FROM ledger CROSS JOIN epoch
) l
