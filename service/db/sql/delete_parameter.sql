-- delete_parameter: leave a tombstone of what has one of the versions $3 (NULL or empty: any). $1 key, $2 note.
WITH said AS MATERIALIZED (SELECT set_config('aside.note', $2, true))
UPDATE entity AS e
SET deleted = true
FROM said
WHERE e.entity_type = 'parameter' AND e.id = $1 AND NOT e.deleted
  AND (coalesce(cardinality($3::bigint[]), 0) = 0 OR e.version = ANY ($3::bigint[]))
RETURNING e.version, NULL::bytea AS body,
          (extract(epoch FROM e.updated_at) * 1000)::bigint AS modified_at_ms, e.cache_ttl_seconds,
          false AS created
