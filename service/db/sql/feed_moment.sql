-- feed_moment: which history it is, what is at an end and what has been forgotten, all of one snapshot; and of the
-- changes of transactions from $1 on, that of the first one, and that of the one after $2 of them, in their order.
-- The history moves where changes may be missing, and not where only what is cached is given up.
SELECT left(md5(concat_ws('/', split_part(aside_generation(), '.', 1), e.truncated_version,
                          pg_relation_filenode('change'))), 16) AS mark,
       pg_current_snapshot()::text AS snapshot, l.pruned_xid::text::bigint AS pruned,
       (SELECT xid::text::bigint FROM change WHERE xid >= $1::text::xid8 ORDER BY change.xid LIMIT 1) AS first,
       (SELECT xid::text::bigint FROM change WHERE xid >= $1::text::xid8 ORDER BY change.xid OFFSET $2 LIMIT 1) AS beyond
FROM ledger l CROSS JOIN epoch e
