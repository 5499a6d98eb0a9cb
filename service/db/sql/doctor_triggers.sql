-- doctor_triggers: those of our tables $1 that call our functions: when they fire (tgtype), and whether they do.
SELECT t.tgname::text AS name, c.relname || ' ' || p.proname || ' ' || t.tgtype AS what, t.tgenabled::text AS enabled
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND t.tgrelid = ANY (SELECT to_regclass(name)::oid FROM unnest($1::text[]) name)
