-- load_parameters: many parameters as they are served. $1 keys. What is not there has the version of the last TRUNCATE.
SELECT k.id, coalesce(e.version, t.truncated_version) AS version,
       convert_to(aside_parameter(e.id, e.body, e.version, e.updated_at), 'UTF8') AS body,
       (extract(epoch FROM e.updated_at) * 1000)::bigint AS modified_at_ms, e.cache_ttl_seconds
FROM epoch t
CROSS JOIN unnest($1::text[]) AS k (id)
LEFT JOIN entity e ON e.entity_type = 'parameter' AND e.id = k.id
