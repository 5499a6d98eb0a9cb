-- import_progress: how far the import of source $1 has come; no row where none is unfinished.
SELECT records, lines, bytes, digest, rejects_bytes FROM import_progress WHERE source = $1
