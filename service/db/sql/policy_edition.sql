-- policy_edition: which edition of the policies this is; another one as soon as any of them has changed. The moment tells
-- editions of the same number apart, where the database was set back to an earlier state.
SELECT number, at FROM policy_edition
