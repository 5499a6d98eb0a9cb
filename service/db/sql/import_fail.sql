-- import_fail: so many records $1, of types $2 and ids $3, with bodies $4 and lifetimes $5, are added; a key that is
-- there, or comes twice, is an error.
WITH written AS (
    INSERT INTO entity (entity_type, id, body, cache_ttl_seconds)
    SELECT entity_type, id, body::jsonb, ttl_seconds
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::float8[])
         AS incoming (record, entity_type, id, body, ttl_seconds)
    ORDER BY entity_type, id, record
    RETURNING 1
)
SELECT count(*) AS created, 0::bigint AS replaced FROM written
