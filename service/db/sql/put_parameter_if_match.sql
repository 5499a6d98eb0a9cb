-- put_parameter_if_match: replace what has one of the versions $4 (empty: any). Checked under the row lock.
WITH said AS MATERIALIZED (SELECT set_config('aside.note', $2, true))
UPDATE entity AS e
SET body = $3::text::jsonb
FROM said
WHERE e.entity_type = 'parameter' AND e.id = $1 AND NOT e.deleted
  AND (cardinality($4::bigint[]) = 0 OR e.version = ANY ($4::bigint[]))
RETURNING e.version, convert_to(aside_parameter(e.id, e.body, e.version, e.updated_at), 'UTF8') AS body,
          (extract(epoch FROM e.updated_at) * 1000)::bigint AS modified_at_ms, e.cache_ttl_seconds,
          false AS created
