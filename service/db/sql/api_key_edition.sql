-- api_key_edition: which edition of the keys this is; see policy_edition.
SELECT number, at FROM api_key_edition
