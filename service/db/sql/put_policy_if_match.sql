-- put_policy_if_match: the same, over one of the versions $9 (empty: any). Checked under the row lock.
WITH said AS MATERIALIZED (SELECT set_config('aside.note', $2, true))
UPDATE policy AS p
SET strategy = $3, ttl_seconds = $4, jitter = $5, negative_ttl_seconds = $6, stale_if_error_seconds = $7,
    early_refresh_beta = $8
FROM said
WHERE p.entity_type = $1 AND (cardinality($9::bigint[]) = 0 OR p.version = ANY ($9::bigint[]))
RETURNING p.entity_type, p.strategy, p.ttl_seconds, p.jitter, p.negative_ttl_seconds, p.stale_if_error_seconds,
          p.early_refresh_beta, p.version, p.updated_at, p.updated_by
