-- repeat_claim: note that key $2 of client $1 stands for the request of digest $3. No row: it stands for one already, or
-- a transaction is about to note that. The lock is tried, not waited for: without it, the insert would wait for the end
-- of that transaction, and hold a connection of the writers for as long as that takes.
INSERT INTO idempotency_key (client, key, digest)
SELECT $1::text, $2::text, $3::bytea
WHERE pg_try_advisory_xact_lock(hashtextextended($1::text || ' ' || $2::text, 0))
ON CONFLICT (client, key) DO NOTHING
RETURNING true
