-- api_keys_live: what may be used now, and for how many seconds still (NULL: for ever), by PostgreSQL's clock.
SELECT id, name, digest, scopes, extract(epoch FROM expires_at - clock_timestamp())::float8 AS seconds_left
FROM api_key
WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
