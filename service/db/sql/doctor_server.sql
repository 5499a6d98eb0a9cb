-- doctor_server: what this PostgreSQL is, how it is set, and how many connections it has left.
SELECT current_setting('server_version_num')::integer AS version_num, pg_is_in_recovery() AS is_standby,
       current_user::text AS role, pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_sessions,
       current_setting('fsync') = 'on' AS fsync, current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('full_page_writes') = 'on' AS full_page_writes,
       current_setting('session_replication_role') AS replication_role,
       least(current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
                 - coalesce(current_setting('reserved_connections', true), '0')::integer,
             nullif(r.rolconnlimit, -1), nullif(d.datconnlimit, -1)) AS connections,
       (SELECT count(*) FROM pg_stat_activity
        WHERE usesysid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
          AND application_name <> 'aside') AS connections_of_others
FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()
