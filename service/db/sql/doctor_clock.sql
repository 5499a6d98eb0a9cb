-- doctor_clock: PostgreSQL's clock, in seconds; and the process that serves this session.
SELECT extract(epoch FROM clock_timestamp())::float8 AS seconds, pg_backend_pid() AS pid
