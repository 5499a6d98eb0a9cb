-- repeat_keep: what the request of key $2 of client $1 has written: for each write the version $3, whether there was
-- nothing before $4, when $5; and the document that is answered, $6.
UPDATE idempotency_key SET versions = $3, created = $4, modified_at_ms = $5, body = $6 WHERE client = $1 AND key = $2
