"""Real processes under faults, every operation checked: `make chaos`."""
