-- doctor_relay: what the ledger says, and who holds the lock $1 of the leader.
SELECT l.run_id, l.bound_seconds, l.generation,
       extract(epoch FROM l.granted_until - clock_timestamp())::float8 AS granted_seconds,
       (SELECT concat_ws(' ', 'session', k.pid, 'from ' || host(a.client_addr),
                         'since ' || to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"'))
        FROM pg_locks k LEFT JOIN pg_stat_activity a USING (pid)
        WHERE k.locktype = 'advisory' AND k.granted AND k.classid = 0 AND k.objid = $1::bigint::oid AND k.objsubid = 1
          AND k.database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS leader
FROM ledger l
