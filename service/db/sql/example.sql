-- example: an entity to show, unless its key has been used before, be it deleted since.
INSERT INTO entity (entity_type, id, body)
SELECT $1, $2, $3::text::jsonb
WHERE NOT EXISTS (SELECT FROM entity WHERE entity_type = $1 AND id = $2)
