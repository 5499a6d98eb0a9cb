-- policies: all that are stored.
SELECT entity_type, strategy, ttl_seconds, jitter, negative_ttl_seconds, stale_if_error_seconds, early_refresh_beta,
       version, updated_at, updated_by
FROM policy ORDER BY entity_type
