-- hottest_keys: the $1 keys that all replicas but $2 together read most. What a replica said fades to a half in $3
-- seconds: it may be gone.
SELECT entity_type, id,
       sum(reads_per_second * 0.5 ^ (extract(epoch FROM clock_timestamp() - at)::float8 / $3::float8))::float8
           AS reads_per_second
FROM hot_key WHERE replica <> $2
GROUP BY entity_type, id ORDER BY 3 DESC LIMIT $1
