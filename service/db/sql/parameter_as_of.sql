-- parameter_as_of: the version of key $1 that held at $2; no row where there was none, or where it is forgotten.
SELECT key, version, kind, body::text AS content, at,
       convert_to(aside_parameter(key, body, version, at), 'UTF8') AS body
FROM parameter_version
WHERE key = $1 AND at <= $2 AND (superseded_at IS NULL OR superseded_at > $2)
ORDER BY version DESC LIMIT 1
