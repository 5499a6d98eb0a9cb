-- label_of_type: what entries of type $1 must be labelled with to count, as of now.
SELECT aside_generation() || coalesce('.' || (SELECT number FROM type_epoch WHERE entity_type = $1), '')
