-- api_key_create: $1 note, $2 id, $3 name, $4 digest, $5 scopes, $6 lifetime in seconds (NULL: for ever).
WITH said AS MATERIALIZED (SELECT set_config('aside.note', $1, true))
INSERT INTO api_key (id, name, digest, scopes, expires_at)
SELECT $2, $3, $4, $5::text[], clock_timestamp() + make_interval(secs => $6::float8) FROM said
RETURNING id, name, scopes, replaces, created_at, created_by, expires_at, revoked_at, last_used_at
