-- batch_put: create or replace what has a document, and lock the rest, all in one order: no two batches can deadlock.
-- $1 types, $2 ids, $3 documents, $4 lifetimes, in step; $5 whether bodies are wanted. What has no document, and is not
-- there at all, becomes a tombstone: the batch cannot succeed.
INSERT INTO entity AS e (entity_type, id, body, cache_ttl_seconds, deleted)
SELECT k.entity_type, k.id, k.document::jsonb, k.ttl_seconds, k.document IS NULL
FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[]) AS k (entity_type, id, document, ttl_seconds)
ORDER BY k.entity_type COLLATE "C", k.id COLLATE "C"
ON CONFLICT (entity_type, id) DO UPDATE
SET body = excluded.body, cache_ttl_seconds = excluded.cache_ttl_seconds, deleted = false
WHERE NOT excluded.deleted
RETURNING e.entity_type, e.id, e.version, CASE WHEN $5::boolean THEN convert_to(e.body::text, 'UTF8') END AS body,
          (extract(epoch FROM e.updated_at) * 1000)::bigint AS modified_at_ms, e.cache_ttl_seconds,
          e.created_at = e.updated_at AS created
