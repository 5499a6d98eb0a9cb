-- put_policy: set the policy of type $1. $2 note, $3 to $8 its members, $9 must be absent. No row: it was there.
WITH said AS MATERIALIZED (SELECT set_config('aside.note', $2, true))
INSERT INTO policy AS p (
    entity_type, strategy, ttl_seconds, jitter, negative_ttl_seconds, stale_if_error_seconds, early_refresh_beta
)
SELECT $1, $3, $4::float8, $5::float8, $6::float8, $7::float8, $8::float8 FROM said
ON CONFLICT (entity_type) DO UPDATE
SET strategy = excluded.strategy, ttl_seconds = excluded.ttl_seconds, jitter = excluded.jitter,
    negative_ttl_seconds = excluded.negative_ttl_seconds,
    stale_if_error_seconds = excluded.stale_if_error_seconds, early_refresh_beta = excluded.early_refresh_beta
WHERE NOT $9::boolean
RETURNING p.entity_type, p.strategy, p.ttl_seconds, p.jitter, p.negative_ttl_seconds, p.stale_if_error_seconds,
          p.early_refresh_beta, p.version, p.updated_at, p.updated_by
