-- job_end: runner $2 is through with job $1: $3 state, $4 error. A job that is 'queued' again may be claimed after $5 s.
UPDATE job SET
    state = $3, error = $4, runner = NULL, claimed_until = clock_timestamp() + make_interval(secs => $5),
    finished_at = CASE WHEN $3 IN ('done', 'failed', 'cancelled') THEN clock_timestamp() END
WHERE id = $1 AND runner = $2 AND state = 'running'
