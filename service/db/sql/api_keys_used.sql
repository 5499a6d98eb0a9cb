-- api_keys_used: the keys $1 were used so many seconds ago: $2. No change of an edition.
UPDATE api_key AS k
SET last_used_at = greatest(k.last_used_at, clock_timestamp() - make_interval(secs => used.ago))
FROM unnest($1::text[], $2::float8[]) AS used (id, ago)
WHERE k.id = used.id
