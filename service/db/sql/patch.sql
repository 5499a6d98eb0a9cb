-- patch: merge (RFC 7396) into what has one of the versions $5 (NULL or empty: any); at most $6 bytes may result.
UPDATE entity AS e
SET body = aside_bounded(aside_merge_patch(e.body, $3::text::jsonb), $6),
    cache_ttl_seconds = coalesce($4, e.cache_ttl_seconds)
WHERE e.entity_type = $1 AND e.id = $2 AND NOT e.deleted
  AND (coalesce(cardinality($5::bigint[]), 0) = 0 OR e.version = ANY ($5::bigint[]))
RETURNING e.version, convert_to(e.body::text, 'UTF8') AS body,
          (extract(epoch FROM e.updated_at) * 1000)::bigint AS modified_at_ms, e.cache_ttl_seconds,
          false AS created
