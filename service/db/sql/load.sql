-- load: the rows of many keys. $1 types, $2 ids, in step.
SELECT e.entity_type, e.id, e.version, convert_to(e.body::text, 'UTF8') AS body,
       (extract(epoch FROM e.updated_at) * 1000)::bigint AS modified_at_ms, e.cache_ttl_seconds
FROM unnest($1::text[], $2::text[]) AS k (entity_type, id)
JOIN entity e USING (entity_type, id)
