-- list_entities: the next $5 entities of type $1 with ids after $2, from $3 on, below $4, in their order. Three plain
-- comparisons, so that they all bound the index scan, whatever plan is kept.
SELECT e.id, convert_to(format(
    '{"id": "%s", "version": %s, "updated_at": "%s", "body": %s}', e.id, e.version, aside_rfc3339(e.updated_at),
    CASE WHEN e.entity_type = 'parameter' THEN aside_parameter(e.id, e.body, e.version, e.updated_at)
    ELSE e.body::text END), 'UTF8') AS body
FROM entity e
WHERE e.entity_type = $1 AND e.id > $2 AND e.id >= $3 AND e.id < $4 AND NOT e.deleted
ORDER BY e.id LIMIT $5
