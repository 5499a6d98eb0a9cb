-- doctor_sequence: how versions are counted, and whether the counter is ahead of what was counted with it.
SELECT increment_by = 1 AND cache_size = 1 AND NOT cycle AS is_one_by_one, max_value,
       coalesce(last_value, 0) AS last_value, coalesce((SELECT max(version) FROM change), 0) AS newest
FROM pg_sequences
WHERE sequencename = 'entity_version'
  AND schemaname = (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = to_regclass('entity'))
