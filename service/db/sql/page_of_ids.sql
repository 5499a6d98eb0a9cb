-- page_of_ids: of type $1, the next $5 ids after $2, from $3 on, below $4. Tombstones count and are left out: however
-- many of them follow each other, this looks at no more than $5 rows.
SELECT max(id) AS last, count(*) AS seen, coalesce(array_agg(id) FILTER (WHERE NOT deleted), '{}') AS ids
FROM (
    SELECT id, deleted FROM entity
    WHERE entity_type = $1 AND id > $2 AND id >= $3 AND id < $4
    ORDER BY id LIMIT $5
) page
