-- relay_note: a heartbeat may be alive until then. Committed before the poll; reaches a quarter further than asked, so
-- that not every poll writes. $1 run_id, $2 bound in seconds.
UPDATE ledger
SET run_id = $1, bound_seconds = $2, granted_until = clock_timestamp() + make_interval(secs => $2 * 1.25)
WHERE run_id IS DISTINCT FROM $1 OR granted_until < clock_timestamp() + make_interval(secs => $2)
