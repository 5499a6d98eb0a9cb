-- remove_policy: of type $1, if it has one of the versions $3 (NULL or empty: any). $2 note.
WITH said AS MATERIALIZED (SELECT set_config('aside.note', $2, true))
DELETE FROM policy AS p USING said
WHERE p.entity_type = $1
  AND (coalesce(cardinality($3::bigint[]), 0) = 0 OR p.version = ANY ($3::bigint[]))
RETURNING p.version
