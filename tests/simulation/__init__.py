"""The real service below HTTP under a seeded scheduler: time, networks, Redis and PostgreSQL are simulated."""
