"""Replicas exchanged one by one under load: restarts, upgrades with both versions at work, many starts at once."""
