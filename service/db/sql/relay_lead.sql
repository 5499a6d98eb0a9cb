-- relay_lead: a new term; whatever an older leader still sends is told from this one's by it. Taken from the clock, so
-- that it grows even where the database was set back to an earlier state, or is another one than before.
UPDATE ledger SET term = greatest(term + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint) RETURNING term
