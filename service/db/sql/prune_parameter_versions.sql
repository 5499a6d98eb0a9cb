-- prune_parameter_versions: forget at most $2 versions that were superseded more than $1 seconds ago.
DELETE FROM parameter_version WHERE (key, version) IN (
    SELECT key, version FROM parameter_version
    WHERE superseded_at < clock_timestamp() - make_interval(secs => $1)
    ORDER BY superseded_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
