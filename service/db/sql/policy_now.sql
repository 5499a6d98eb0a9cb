-- policy_now: the stored policy of type $1; no row where there is none.
SELECT entity_type, strategy, ttl_seconds, jitter, negative_ttl_seconds, stale_if_error_seconds, early_refresh_beta,
       version, updated_at, updated_by
FROM policy WHERE entity_type = $1
