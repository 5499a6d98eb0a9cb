-- relay_lead: a new term; whatever an older leader still sends is told from this one's by it.
UPDATE ledger SET term = term + 1 RETURNING term
