-- about_how_many: what the planner believes to find of type $1, with ids from $2 on, below $3. Reads no row.
EXPLAIN (FORMAT JSON) SELECT FROM entity WHERE entity_type = $1 AND id >= $2 AND id < $3 AND NOT deleted
