-- versions: the versions of many keys, without their bodies, and the label that
-- their entries should have; for the audit. $1 types, $2 ids.
-- The generation is evaluated after the snapshot of the rows was taken: it is never older than they are.
SELECT k.entity_type, k.id, coalesce(e.version, 0) AS version, e.version IS NOT NULL AND NOT e.deleted AS exists,
       g.generation || coalesce('.' || t.number, '') AS generation
FROM unnest($1::text[], $2::text[]) AS k (entity_type, id)
LEFT JOIN entity e USING (entity_type, id)
LEFT JOIN type_epoch t USING (entity_type)
CROSS JOIN (SELECT aside_generation() AS generation OFFSET 0) g
