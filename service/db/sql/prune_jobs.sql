-- prune_jobs: forget what was finished more than $1 seconds ago.
DELETE FROM job WHERE finished_at < clock_timestamp() - make_interval(secs => $1)
