-- export_ndjson: each entity of type $1 with an id after $2, from $3 on, below $4, as a line of JSON, in their order.
SELECT format('{"entity_type": "%s", "id": "%s", "version": %s, "updated_at": "%s", "ttl_seconds": %s, "body": %s}',
              entity_type, id, version, aside_rfc3339(updated_at), coalesce(to_json(cache_ttl_seconds)::text, 'null'),
              body::text)
FROM entity
WHERE entity_type = $1 AND id > $2 AND id >= $3 AND id < $4 AND NOT deleted
ORDER BY id
