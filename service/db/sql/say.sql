-- say: what the writer says of itself, $1, for the rest of this transaction; see `aside_note()` in the migrations.
SELECT set_config('aside.note', $1, true)
