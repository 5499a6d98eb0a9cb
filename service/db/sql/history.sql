-- history: the part of the generation that a TRUNCATE does not move: which cluster, timeline, database and table.
SELECT split_part(aside_generation(), '.', 1)
