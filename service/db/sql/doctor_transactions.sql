-- doctor_transactions: the oldest ones that have been open for more than $1 seconds; after a crash, prepared ones too.
SELECT * FROM (
    SELECT 'session ' || pid || ' of ' || coalesce(usename::text, 'nobody') || ' (' || coalesce(state, '') || ')' AS who,
           extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds
    FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND datname = current_database()
    UNION ALL
    SELECT 'prepared transaction ' || gid || ' of ' || owner, extract(epoch FROM clock_timestamp() - prepared)::float8
    FROM pg_prepared_xacts WHERE database = current_database()
) t WHERE seconds > $1::float8 ORDER BY seconds DESC LIMIT 5
