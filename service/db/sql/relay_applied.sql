-- relay_applied: every cache that readers trust has seen horizon $1 of generation $2.
UPDATE ledger SET applied = $1, generation = $2
