-- parameter_versions: the next $3 versions of key $1 below $2, newest first, as they are served.
SELECT version, convert_to(format(
    '{"version": %s, "kind": "%s", "at": "%s", "actor": %s, "reason": %s, "type": %s, "value": %s}',
    version, kind, aside_rfc3339(at), coalesce(to_json(actor)::text, 'null'), coalesce(to_json(reason)::text, 'null'),
    coalesce(body->'type', 'null'), coalesce(body->'value', 'null')), 'UTF8') AS body
FROM parameter_version WHERE key = $1 AND version < $2
ORDER BY version DESC LIMIT $3
