"""Aside: JSON entities out of PostgreSQL through a Redis/Valkey cache, fast, and never stale."""
