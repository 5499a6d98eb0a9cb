"""Planted bugs: each takes one safeguard away, and a named test must notice. `python -m tests.mutants` runs them."""
