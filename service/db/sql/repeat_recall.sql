-- repeat_recall: the request that key $2 of client $1 stands for, and what it has written.
SELECT digest, versions, created, modified_at_ms, body FROM idempotency_key WHERE client = $1 AND key = $2
