-- job_list: the last $1 jobs, newest first.
SELECT id, kind, origin, wanted, state, progress, reached, about, cancel_requested, error, actor, created_at, started_at,
       finished_at
FROM job ORDER BY id DESC LIMIT $1
