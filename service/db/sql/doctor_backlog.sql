-- doctor_backlog: how large the notes of changes are, how old the oldest is, and how many tombstones (10,000 at the
-- most are counted) are older than $1 seconds and so wait for their removal.
SELECT pg_total_relation_size('change') AS change_bytes,
       (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'change'::regclass) AS about_changes,
       (SELECT extract(epoch FROM clock_timestamp() - at)::float8 FROM change ORDER BY version LIMIT 1) AS oldest_seconds,
       (SELECT count(*) FROM (
            SELECT FROM entity WHERE deleted AND updated_at < clock_timestamp() - make_interval(secs => $1::float8)
            LIMIT 10000) due) AS tombstones_due
