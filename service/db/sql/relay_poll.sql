-- relay_poll: the horizon now, the generation, and the first page of changes that horizon $1 had not seen, all of one
-- snapshot. Visible changes of any xid count: a long transaction holds back the horizon's xmin, not its neighbours.
SELECT s.horizon::text AS horizon, aside_generation() AS generation, l.pruned_xid::text::bigint AS pruned_xid,
       coalesce((SELECT string_agg(' ' || entity_type || ':' || number, '' ORDER BY entity_type) FROM type_epoch), '')
           AS type_epochs,
       c.version, c.entity_type, c.id, extract(epoch FROM clock_timestamp() - c.at)::float8 AS age_seconds
FROM (SELECT pg_current_snapshot() AS horizon) s
CROSS JOIN ledger l
LEFT JOIN LATERAL (
    SELECT * FROM change
    WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot)
    ORDER BY version LIMIT $2
) c ON true
