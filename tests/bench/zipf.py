"""Keys drawn by Zipf's law, as a table: whoever picks its lines at random draws keys by that law."""

from __future__ import annotations

import random
from bisect import bisect_left
from itertools import accumulate


def zipf_table(keys: int, *, s: float = 1.0, lines: int = 100_000) -> list[int]:
    """The quantiles of Zipf's law over the ranks 1 to ``keys``: no luck in it, a rank has its share of the lines.

    Which key has which rank is shuffled, always in the same way: neighbours in popularity are no neighbours in storage.
    """
    cumulative = list(accumulate(rank**-s for rank in range(1, keys + 1)))
    total = cumulative[-1]
    key_of_rank = list(range(1, keys + 1))
    random.Random(1).shuffle(key_of_rank)
    return [key_of_rank[bisect_left(cumulative, (line + 0.5) / lines * total)] for line in range(lines)]
