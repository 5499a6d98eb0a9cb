-- fold_type_epochs: forget the epochs of types, of which more than $1 would make the heartbeat long: then everything
-- must be given up in their place. Says how many were forgotten.
WITH forgotten AS (
    DELETE FROM type_epoch WHERE (SELECT count(*) FROM type_epoch) > $1 RETURNING 1
)
SELECT count(*) FROM forgotten
