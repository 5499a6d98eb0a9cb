-- feed_rest: the next $5 changes, after version $3 and up to $4, of what snapshot $2 has seen and $1 had not; and what has
-- become of their rows. In the order of versions from the first one on: it may be a large part of all that is kept.
SELECT c.entity_type, c.id, c.version AS noted, greatest(c.version, e.version) AS version,
       coalesce(e.deleted, true) AS deleted, aside_rfc3339(coalesce(e.updated_at, c.at)) AS at, $4::bigint AS last
FROM (
    SELECT version, entity_type, id, at FROM change
    WHERE version > $3 AND version <= $4
      AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot) AND pg_visible_in_snapshot(xid, $2::text::pg_snapshot)
    ORDER BY version LIMIT $5
) c
LEFT JOIN LATERAL (
    SELECT version, deleted, updated_at FROM entity WHERE entity_type = c.entity_type AND id = c.id LIMIT 1
) e ON true
ORDER BY c.version
