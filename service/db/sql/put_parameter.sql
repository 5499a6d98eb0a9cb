-- put_parameter: create or replace. $1 key, $2 note, $3 body, $4 must be absent. No row: it was there.
WITH said AS MATERIALIZED (SELECT set_config('aside.note', $2, true))
INSERT INTO entity AS e (entity_type, id, body)
SELECT 'parameter', $1, $3::text::jsonb FROM said
ON CONFLICT (entity_type, id) DO UPDATE
SET body = excluded.body, deleted = false
WHERE e.deleted OR NOT $4::boolean
RETURNING e.version, convert_to(aside_parameter(e.id, e.body, e.version, e.updated_at), 'UTF8') AS body,
          (extract(epoch FROM e.updated_at) * 1000)::bigint AS modified_at_ms, e.cache_ttl_seconds,
          e.created_at = e.updated_at AS created
