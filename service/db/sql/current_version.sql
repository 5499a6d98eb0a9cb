-- current_version: of a live entity; no row where there is none.
SELECT version FROM entity WHERE entity_type = $1 AND id = $2 AND NOT deleted
