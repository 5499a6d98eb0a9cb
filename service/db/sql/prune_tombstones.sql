-- prune_tombstones: remove at most $2 tombstones that are older than $1 seconds, longer than any cached lifetime.
DELETE FROM entity WHERE (entity_type, id) IN (
    SELECT entity_type, id FROM entity
    WHERE deleted AND updated_at < clock_timestamp() - make_interval(secs => $1)
    ORDER BY updated_at LIMIT $2 FOR UPDATE SKIP LOCKED
) AND deleted
