-- api_key_rotate: a successor of the live key $2, which expires in $5 seconds at the latest. $1 note, $3 the new id,
-- $4 its digest. It has the same name, scopes, and span of life. No row: that key is not live.
WITH said AS MATERIALIZED (SELECT set_config('aside.note', $1, true)),
old AS (
    UPDATE api_key AS k
    SET expires_at = least(k.expires_at, clock_timestamp() + make_interval(secs => $5::float8))
    FROM said, api_key AS before
    WHERE k.id = $2 AND before.id = k.id AND k.revoked_at IS NULL
      AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
    RETURNING k.id, k.name, k.scopes, before.expires_at - before.created_at AS span
)
INSERT INTO api_key (id, name, digest, scopes, replaces, expires_at)
SELECT $3, name, $4, scopes, id, clock_timestamp() + span FROM old
RETURNING id, name, scopes, replaces, created_at, created_by, expires_at, revoked_at, last_used_at
