"""deploy/Dockerfile carried out for real where there is no engine, and what it makes, run as an engine would run it."""
