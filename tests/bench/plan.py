"""How long is measured, how often, and on how much."""

from __future__ import annotations

from dataclasses import dataclass

BODY_BYTES = {"item": 250, "medium": 5_000, "large": 50_000}
"""The entity types that are read, by the size of their documents as they are served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``seconds`` is one load of one target, after ``warmup_seconds``. A round is one load of each target."""

    rounds: int = 5
    seconds: float = 1.5
    warmup_seconds: float = 0.5
    rows: int = 1_000_000
    """Of type `item`. Of the others there are as many as `keys`."""
    keys: int = 1_000
    """What is read hot."""
    many_keys: int = 100_000
    written_keys: int = 10_000
    connections: int = 64
    stampede_readers: int = 1_000
    expiries: int = 3
    """In each round."""
    hot_ttl_seconds: float = 3.0
    hot_rate: float = 1_500.0
    """Requests per second."""
    warmings: int = 3
    """Each of a whole table, into an empty cache."""
    changes: int = 300
    """By plain SQL."""
    starts: int = 9
    """Of one process, one after another."""
    open_loop_rounds: int = 3
    open_loop_seconds: float = 3.0
    open_loop_shares: tuple[float, ...] = (0.1, 0.25, 0.5, 0.75, 0.9)
    """Of what the closed loop reached for Aside. At the lowest one the peers can be asked too."""
    eviction_keys: int = 50_000
    """Read by Zipf's law, from a cache that holds a part of them."""
    eviction_holds: int = 5_000
    """So many; a sweep is as long."""
    eviction_sweeps: int = 4
    eviction_reads: int = 15_000
    """After each sweep."""
    eviction_rounds: int = 3
    workers: tuple[int, ...] = (1, 2, 4)
    """More than two only where each of them finds a core."""
    replicas: int = 3
    """Behind a load balancer; 0: none."""
    flood_pairs: int = 3
    """Of a window of calm and one of flood, in each round."""
    flood_seconds: float = 1.2
    """Of a window."""
    flood_begins_seconds: float = 1.0
    """Of a flood, before its window: what its client had saved until then is spent in it, and told apart."""
    flood_hits_per_second: float = 400.0
    """Of the client that does not flood."""
    flood_connections: int = 64
    """Of the one that does."""
    bound_seconds: float = 2.0
    """B, which is the service's default."""

    @property
    def load_seconds(self) -> float:
        """One load with its warm-up, and what it takes to start them."""
        return self.seconds + self.warmup_seconds + 0.25


QUICK = Plan(
    rounds=2, seconds=0.2, warmup_seconds=0.1, rows=50_000, many_keys=20_000, expiries=2, hot_ttl_seconds=1.0,
    warmings=1, changes=60, starts=2, open_loop_rounds=1, open_loop_shares=(0.1,), open_loop_seconds=1.0,
    eviction_keys=10_000, eviction_holds=1_000, eviction_sweeps=2, eviction_reads=4_000, eviction_rounds=1,
    flood_pairs=1, flood_seconds=0.5, flood_begins_seconds=0.2,
)  # fmt: skip
"""Says whether all of it works, and little more."""
