-- api_key_read: the key $1. No digest.
SELECT id, name, scopes, replaces, created_at, created_by, expires_at, revoked_at, last_used_at
FROM api_key WHERE id = $1
