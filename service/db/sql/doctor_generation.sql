-- doctor_generation: the history that versions belong to, and the oldest transaction that a snapshot now has not seen.
SELECT aside_generation() AS generation, pg_current_snapshot()::text AS horizon
