-- feed_page: the first $5 changes of transactions from $1 on and below $2, without those in $3, and of those in $4; what
-- has become of their rows; and the last version of all of them. By the index of transactions, whose changes are few, or
-- all of one: "+ 0" keeps the planner from going through all versions, and LIMIT 1 from reading all entities.
WITH found AS NOT MATERIALIZED (
    SELECT version + 0 AS version, entity_type, id, at FROM change
    WHERE xid >= $1::text::xid8 AND xid < $2::text::xid8 AND xid <> ALL ($3::text[]::xid8[])
    UNION ALL
    SELECT version + 0, entity_type, id, at FROM change WHERE xid = ANY ($4::text[]::xid8[])
)
SELECT c.entity_type, c.id, c.version AS noted, greatest(c.version, e.version) AS version,
       coalesce(e.deleted, true) AS deleted, aside_rfc3339(coalesce(e.updated_at, c.at)) AS at,
       (SELECT max(version) FROM found) AS last
FROM (SELECT * FROM found ORDER BY version LIMIT $5) c
LEFT JOIN LATERAL (
    SELECT version, deleted, updated_at FROM entity WHERE entity_type = c.entity_type AND id = c.id LIMIT 1
) e ON true
ORDER BY c.version
