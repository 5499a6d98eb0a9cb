-- api_key_events: what became of the key $1, newest first, at most $2.
SELECT kind, said, at, actor, reason FROM api_key_event WHERE key_id = $1 ORDER BY number DESC LIMIT $2
