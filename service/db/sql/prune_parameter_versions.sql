-- prune_parameter_versions: forget at most $2 versions that were superseded more than $1 seconds ago.
DELETE FROM parameter_version WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM parameter_version
    WHERE superseded_at < now() - make_interval(secs => $1)
    ORDER BY superseded_at LIMIT $2 FOR UPDATE SKIP LOCKED
))
