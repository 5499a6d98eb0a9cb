-- parameter_by_version: what version $2 of key $1 was.
SELECT key, version, kind, body::text AS content, at,
       convert_to(aside_parameter(key, body, version, at), 'UTF8') AS body
FROM parameter_version WHERE key = $1 AND version = $2
