-- job_read: one job.
SELECT id, kind, origin, wanted, state, progress, reached, about, cancel_requested, error, actor, created_at, started_at,
       finished_at
FROM job WHERE id = $1
