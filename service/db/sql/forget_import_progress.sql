-- forget_import_progress: source $1 is imported, or begins anew.
DELETE FROM import_progress WHERE source = $1
