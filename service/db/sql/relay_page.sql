-- relay_page: the next page, after version $4, of what horizon $2 has seen and horizon $1 had not.
SELECT version, entity_type, id
FROM change
WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot)
  AND pg_visible_in_snapshot(xid, $2::text::pg_snapshot) AND version > $4
ORDER BY version LIMIT $3
