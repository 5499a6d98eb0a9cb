-- relay_next_epoch: give up everything cached: nobody can say any more what was applied to it.
UPDATE epoch SET number = number + 1
