-- job_checkpoint: how far job $1 has come, by its runner $2, who keeps it for $6 more seconds. $3 progress, $4 reached,
-- $5 about. No row: it is somebody else's by now.
UPDATE job SET
    progress = $3::jsonb, reached = coalesce($4::jsonb, reached), about = coalesce($5, about),
    claimed_until = clock_timestamp() + make_interval(secs => $6)
WHERE id = $1 AND runner = $2 AND state = 'running'
RETURNING cancel_requested
