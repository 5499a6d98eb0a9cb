-- api_keys: the newest $1, live or not. No digests.
SELECT id, name, scopes, replaces, created_at, created_by, expires_at, revoked_at, last_used_at
FROM api_key ORDER BY created_at DESC, id LIMIT $1
