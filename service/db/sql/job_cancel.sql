-- job_cancel: job $1 is not wanted any more. At once where nobody works at it; else its runner is told.
UPDATE job SET
    cancel_requested = true,
    state = CASE WHEN claimed_until < clock_timestamp() THEN 'cancelled' ELSE state END,
    finished_at = CASE WHEN claimed_until < clock_timestamp() THEN clock_timestamp() ELSE finished_at END
WHERE id = $1 AND state IN ('queued', 'running')
