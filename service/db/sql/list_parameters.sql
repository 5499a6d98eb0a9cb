-- list_parameters: the next $4 parameters with keys after $1, from $2 on, below $3, in their order. Three plain
-- comparisons, so that they all bound the index scan, whatever plan is kept.
SELECT e.id, convert_to(aside_parameter(e.id, e.body, e.version, e.updated_at), 'UTF8') AS body
FROM entity e
WHERE e.entity_type = 'parameter' AND e.id > $1 AND e.id >= $2 AND e.id < $3 AND NOT e.deleted
ORDER BY e.id LIMIT $4
