"""All mutants, in the order in which they are run."""

from __future__ import annotations

from tests.mutants import access, batches, database, engine, purging, relay, repeats, scripts, warming

MUTANTS = (
    *scripts.MUTANTS,
    *database.MUTANTS,
    *engine.MUTANTS,
    *batches.MUTANTS,
    *repeats.MUTANTS,
    *relay.MUTANTS,
    *warming.MUTANTS,
    *purging.MUTANTS,
    *access.MUTANTS,
)
