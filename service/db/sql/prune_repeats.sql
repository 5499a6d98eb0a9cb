-- prune_repeats: forget at most $2 requests that were done more than $1 seconds ago.
DELETE FROM idempotency_key WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM idempotency_key
    WHERE at < clock_timestamp() - make_interval(secs => $1)
    ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED
))
