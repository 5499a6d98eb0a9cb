"""Aside beside its ceiling and its peers, measured in one run: `python -m tests.bench`."""
