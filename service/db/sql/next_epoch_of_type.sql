-- next_epoch_of_type: give up everything cached of type $1. Its number is taken from the clock, as that of the epoch.
INSERT INTO type_epoch AS t (entity_type, number)
VALUES ($1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
ON CONFLICT (entity_type) DO UPDATE SET number = greatest(t.number + 1, excluded.number)
