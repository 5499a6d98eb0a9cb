-- batch_change: replace, merge into, or bury what `batch_put` has locked, where it has one of the versions asked for.
-- $1 types, $2 ids, $3 verbs, $4 documents, $5 lifetimes, $6 versions (an array as text; NULL or empty: any), in step;
-- $7 whether bodies are wanted; not beyond $8 bytes of all that patches have made. `bytes` is what one has made.
WITH changed AS (
    UPDATE entity AS e
    SET body = CASE k.verb
                   WHEN 'put' THEN k.document::jsonb
                   WHEN 'patch' THEN aside_merge_patch(e.body, k.document::jsonb)
               END,
        deleted = k.verb = 'delete',
        cache_ttl_seconds = CASE k.verb WHEN 'patch' THEN coalesce(k.ttl_seconds, e.cache_ttl_seconds)
                                        ELSE k.ttl_seconds END
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::float8[], $6::text[])
         AS k (entity_type, id, verb, document, ttl_seconds, versions)
    WHERE e.entity_type = k.entity_type AND e.id = k.id AND NOT e.deleted
      AND (coalesce(cardinality(k.versions::bigint[]), 0) = 0 OR e.version = ANY (k.versions::bigint[]))
    RETURNING e.entity_type, e.id, e.version, e.body::text AS body, e.updated_at, e.cache_ttl_seconds,
              CASE k.verb WHEN 'patch' THEN octet_length(e.body::text) ELSE 0 END AS bytes
)
SELECT entity_type, id, version, bytes, cache_ttl_seconds, false AS created,
       CASE WHEN $7::boolean AND sum(bytes) OVER () <= $8::bigint THEN convert_to(body, 'UTF8') END AS body,
       (extract(epoch FROM updated_at) * 1000)::bigint AS modified_at_ms
FROM changed
