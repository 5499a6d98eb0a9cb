-- put: create or replace. $1 type, $2 id, $3 document, $4 ttl, $5 must be absent. No row: it was there.
INSERT INTO entity AS e (entity_type, id, body, cache_ttl_seconds)
VALUES ($1, $2, $3::text::jsonb, $4)
ON CONFLICT (entity_type, id) DO UPDATE
SET body = excluded.body, cache_ttl_seconds = excluded.cache_ttl_seconds, deleted = false
WHERE e.deleted OR NOT $5::boolean
RETURNING e.version, convert_to(e.body::text, 'UTF8') AS body,
          (extract(epoch FROM e.updated_at) * 1000)::bigint AS modified_at_ms, e.cache_ttl_seconds,
          e.created_at = e.updated_at AS created
