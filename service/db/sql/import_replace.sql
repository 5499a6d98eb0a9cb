-- import_replace: so many records $1, of types $2 and ids $3, with bodies $4 and lifetimes $5, take the place of what is
-- there; of a key the last one. What is the same stays, with its version. In the order of keys, so that two imports
-- wait for each other and do not lock each other out.
WITH given AS (
    SELECT DISTINCT ON (entity_type, id) entity_type, id, body::jsonb AS body, ttl_seconds
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::float8[])
         AS incoming (record, entity_type, id, body, ttl_seconds)
    ORDER BY entity_type, id, record DESC
), written AS (
    INSERT INTO entity AS e (entity_type, id, body, cache_ttl_seconds)
    SELECT entity_type, id, body, ttl_seconds FROM given
    ON CONFLICT (entity_type, id) DO UPDATE
    SET body = excluded.body, cache_ttl_seconds = excluded.cache_ttl_seconds, deleted = false
    WHERE e.deleted OR e.cache_ttl_seconds IS DISTINCT FROM excluded.cache_ttl_seconds
       OR CASE WHEN e.entity_type = 'parameter'
               THEN (e.body - 'updated_by')::text <> (excluded.body - 'updated_by')::text
               ELSE e.body::text <> excluded.body::text END
    RETURNING e.created_at = e.updated_at AS created
)
SELECT count(*) FILTER (WHERE created) AS created, count(*) FILTER (WHERE NOT created) AS replaced FROM written
