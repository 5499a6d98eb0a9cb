-- doctor_functions: ours, with a fingerprint of each body.
SELECT proname::text AS name, left(md5(prosrc), 10) AS fingerprint
FROM pg_proc
WHERE proname LIKE 'aside\_%' AND pronamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('entity'))
