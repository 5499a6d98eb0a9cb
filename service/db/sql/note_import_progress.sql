-- note_import_progress: source $1 has come to so many records $2, lines $3, bytes $4 of digest $5; $6 bytes of rejects.
INSERT INTO import_progress (source, records, lines, bytes, digest, rejects_bytes) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (source) DO UPDATE
SET records = excluded.records, lines = excluded.lines, bytes = excluded.bytes, digest = excluded.digest,
    rejects_bytes = excluded.rejects_bytes, at = clock_timestamp()
