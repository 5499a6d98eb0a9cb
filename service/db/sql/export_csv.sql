-- export_csv: each entity of type $1 with an id after $2, from $3 on, below $4, as a row of a table, in their order.
SELECT entity_type, id, version, aside_rfc3339(updated_at) AS updated_at, cache_ttl_seconds AS ttl_seconds, body
FROM entity
WHERE entity_type = $1 AND id > $2 AND id >= $3 AND id < $4 AND NOT deleted
ORDER BY id
