-- relay_granted_elsewhere: for how long a heartbeat on another server than $1 may still be alive, in seconds.
SELECT CASE WHEN run_id = $1 THEN 0
            ELSE extract(epoch FROM granted_until - clock_timestamp()) END::float8 AS seconds,
       run_id IS NOT NULL AND run_id <> $1 AS moved
FROM ledger
