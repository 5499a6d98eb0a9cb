-- run_time_role: the statements that make role $1 one which may serve, and do nothing else, with the tables $2 and the
-- table of revisions $3; $4 is the verifier of its password, or null to leave that alone. docs/schema.md names the rights.
SELECT statement FROM (
    SELECT 1 AS turn, format('CREATE ROLE %I LOGIN', $1::text) AS statement
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)
    UNION ALL
    SELECT 2, format('ALTER ROLE %I PASSWORD %L', $1, $4::text) WHERE $4 IS NOT NULL
    UNION ALL
    SELECT 3, format('GRANT USAGE ON SCHEMA %I TO %I', (
        SELECT nspname FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid WHERE c.oid = to_regclass('entity')
    ), $1)
    UNION ALL
    SELECT 4, format('REVOKE ALL ON %s FROM %I', name::regclass, $1) FROM unnest($2::text[] || $3::text) AS name
    UNION ALL
    SELECT 5, format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I', name::regclass, $1) FROM unnest($2) AS name
    UNION ALL
    SELECT 6, format('GRANT SELECT ON %s TO %I', $3::regclass, $1)
    UNION ALL
    SELECT 7, format('GRANT USAGE ON SEQUENCE entity_version TO %I', $1)
) AS statements
ORDER BY turn
