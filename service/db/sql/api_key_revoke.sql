-- api_key_revoke: the key $2, unless it has been revoked. $1 note. No row: there is none to revoke.
WITH said AS MATERIALIZED (SELECT set_config('aside.note', $1, true))
UPDATE api_key AS k SET revoked_at = clock_timestamp() FROM said WHERE k.id = $2 AND k.revoked_at IS NULL
RETURNING k.id
