-- keep_hot_keys: what replica $1 knows of the keys that are read most, in place of what it knew before. $2 types, $3 ids,
-- $4 reads per second. What nobody has said anything about for $5 seconds goes.
WITH forgotten AS (
    DELETE FROM hot_key h
    WHERE h.at < clock_timestamp() - make_interval(secs => $5)
       OR (h.replica = $1 AND NOT EXISTS (
           SELECT FROM unnest($2::text[], $3::text[]) AS k (entity_type, id)
           WHERE k.entity_type = h.entity_type AND k.id = h.id))
)
INSERT INTO hot_key (replica, entity_type, id, reads_per_second)
SELECT $1, k.* FROM unnest($2::text[], $3::text[], $4::float8[]) AS k (entity_type, id, reads_per_second)
ON CONFLICT (replica, entity_type, id) DO UPDATE
SET reads_per_second = excluded.reads_per_second, at = clock_timestamp()
