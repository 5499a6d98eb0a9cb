-- doctor_rights: what this role may not do with the tables $1 and the table of revisions $2, though it should.
SELECT string_agg(privilege, ', ') || ' on ' || name AS missing
FROM unnest($1::text[]) AS name, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
WHERE NOT has_table_privilege(to_regclass(name), privilege)
GROUP BY name
UNION ALL SELECT 'SELECT on ' || $2::text WHERE NOT has_table_privilege(to_regclass($2::text), 'SELECT')
UNION ALL SELECT 'USAGE on the sequence entity_version'
WHERE NOT has_sequence_privilege(to_regclass('entity_version'), 'USAGE')
UNION ALL SELECT 'EXECUTE on ' || oid::regprocedure FROM pg_proc
WHERE proname LIKE 'aside\_%' AND pronamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('entity'))
  AND NOT has_function_privilege(oid, 'EXECUTE')
