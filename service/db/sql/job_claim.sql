-- job_claim: the first open job of the kinds $1 that nobody works at, for $2, for $3 seconds. One job of a kind at a time,
-- over all replicas: work in the background has one connection's share of the database, however many there are.
UPDATE job SET
    runner = $2, claimed_until = clock_timestamp() + make_interval(secs => $3), state = 'running', error = NULL,
    started_at = coalesce(started_at, clock_timestamp())
WHERE id = (
    SELECT min(j.id) FROM job j
    WHERE j.state IN ('queued', 'running') AND j.claimed_until < clock_timestamp() AND j.kind = ANY ($1::text[])
      AND NOT EXISTS (
          SELECT FROM job other
          WHERE other.state = 'running' AND other.kind = j.kind AND other.claimed_until >= clock_timestamp()
      )
) AND claimed_until < clock_timestamp() -- looked at again if another replica was quicker
RETURNING id, kind, origin, wanted, state, progress, reached, about, cancel_requested, error, actor, created_at, started_at,
          finished_at
