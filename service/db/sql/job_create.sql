-- job_create: a job to be done. $1 kind, $2 origin, $3 what is wanted, $4 actor. None where $5 is given, and a job of
-- this origin is open, or was finished less than so many seconds ago.
INSERT INTO job (kind, origin, wanted, actor)
SELECT $1::text, $2::text, $3::jsonb, $4::text
WHERE $5::float8 IS NULL OR NOT EXISTS (
    SELECT FROM job
    WHERE origin = $2 AND (finished_at IS NULL OR finished_at > clock_timestamp() - make_interval(secs => $5))
)
RETURNING id, kind, origin, wanted, state, progress, reached, about, cancel_requested, error, actor, created_at, started_at,
          finished_at
