-- put_if_match: replace what has one of the versions $5 (empty: any). The condition is checked under the row lock.
UPDATE entity AS e
SET body = $3::text::jsonb, cache_ttl_seconds = $4
WHERE e.entity_type = $1 AND e.id = $2 AND NOT e.deleted
  AND (cardinality($5::bigint[]) = 0 OR e.version = ANY ($5::bigint[]))
RETURNING e.version, convert_to(e.body::text, 'UTF8') AS body,
          (extract(epoch FROM e.updated_at) * 1000)::bigint AS modified_at_ms, e.cache_ttl_seconds,
          false AS created
