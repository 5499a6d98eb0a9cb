-- next_type: the first entity type after $1 in their order, by one look at the primary key's index.
SELECT min(entity_type) FROM entity WHERE entity_type > $1
