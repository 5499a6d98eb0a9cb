-- load: the rows of many keys. $1 types, $2 ids, in step. What is not there has the version of the last TRUNCATE.
SELECT k.entity_type, k.id, coalesce(e.version, t.truncated_version) AS version,
       convert_to(e.body::text, 'UTF8') AS body,
       (extract(epoch FROM e.updated_at) * 1000)::bigint AS modified_at_ms, e.cache_ttl_seconds
FROM epoch t
CROSS JOIN unnest($1::text[], $2::text[]) AS k (entity_type, id)
LEFT JOIN entity e ON e.entity_type = k.entity_type AND e.id = k.id
