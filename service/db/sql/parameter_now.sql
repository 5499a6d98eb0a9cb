-- parameter_now: key $1 as PostgreSQL has it at this moment; no row where it does not exist.
SELECT id AS key, version, 'updated' AS kind, body::text AS content, updated_at AS at,
       convert_to(aside_parameter(id, body, version, updated_at), 'UTF8') AS body
FROM entity WHERE entity_type = 'parameter' AND id = $1 AND NOT deleted
