-- example_parameter: a parameter to show, unless its key has been used before, be it deleted since. $1 key, $2 note,
-- $3 body.
WITH said AS MATERIALIZED (SELECT set_config('aside.note', $2, true))
INSERT INTO entity (entity_type, id, body)
SELECT 'parameter', $1, $3::text::jsonb FROM said
WHERE NOT EXISTS (SELECT FROM entity WHERE entity_type = 'parameter' AND id = $1)
