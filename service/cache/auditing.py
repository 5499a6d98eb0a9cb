"""Whether a cached entry that readers get is stale: judged so that no alarm can be false. Pure: moments are arguments.

An audit of one key is four looks, one after the other, by one process and its monotonic clock:

    (1) PostgreSQL: version v, in generation g            ends at t1
    (2) the cache, as a reader reads it: version w         an entry at least as new as (1) is good
                                                           an older one is a *suspect*, and proves nothing yet
    (3) the cache again, not begun before t1 + B:          begins at t3 > t1 + B
        a reader would still be answered with w' < v
    (4) PostgreSQL again                                   nothing was set back, or pruned, or truncated

An alarm after (4) is true whatever the protocol does, for it says only what was seen:

- v was visible in (1), so it was committed before t1. A version is taken under the row's lock, so a lower version of
  this key was committed before v; whoever reads PostgreSQL after v was committed gets v or something newer. w' was
  therefore superseded before t1.
- (3) reads as a reader does: in one MGET with the heartbeat, on the server that it names, with the reader's own tests
  of name, generation and freshness. A reader in its place would have answered w', more than B after v was committed.
- t1 and t3 are of one clock, and the time between them is measured from the *end* of (1) to the *beginning* of (3).

What is not stale, and why it cannot be taken for it:

- A commit whose apply is under way, plain SQL before the next poll, an answer `deferred` by request: over within B.
  The next heartbeat's poll comes after t1 then, and has v, so by (3) the entry is gone, replaced, or not vouched for.
- A row written between (1) and (2): the entry is newer than v, which is good.
- A deleted row and a negative entry: both say that there is none, whatever their versions. So a tombstone that is
  pruned, after which a reader caches "no row at all" as version 0, raises nothing.
- Version 0 against a row seen in (1) might come of a deletion that was pruned since. It counts only where (4) shows the
  very version of (1): versions are used once, so the row was there, unchanged, all the time.
- No row at all against a value: the row may have been created after (1). It counts only where (4) finds none either,
  not even a tombstone, in the same epoch. In between it would have to be created, deleted and pruned: whoever calls
  gives up long before tombstones may go.
- Another history (a failover, a restore) and a later epoch are not comparable: they are never judged. An epoch that
  has moved between (1) and (4), or a row whose version went back (PostgreSQL was set back), ends the suspicion.

What it may miss: what was stale and got well before (3), and whatever (4) cannot confirm. It errs on that side only.
"""

from __future__ import annotations

from service.cache.codec import decode
from service.cache.entry import Entry, Reading
from service.cache.policy import Verdict, judge
from service.domain.row import Truth


def served(reading: Reading, name: str, now_ms: int) -> Entry | None:
    """The entry that a reader with no wishes is answered with; None where it would have to look elsewhere."""
    raw, generation = reading
    entry = None if raw is None or generation is None else decode(raw, name)
    if entry is None or entry.generation != generation:
        return None
    return None if judge(entry, now_ms, 1.0, 0.0) is Verdict.EXPIRED else entry


def contradicts(entry: Entry, truth: Truth) -> bool:
    """Whether the entry is older than what PostgreSQL said: right after it a suspicion, after B the third look."""
    if not _is_comparable(entry.generation, truth.generation):
        return False
    if entry.body is None and not truth.exists:
        return False
    if truth.version == 0:
        return True
    return entry.version < truth.version


def is_confirmed(entry: Entry, truth: Truth, now: Truth) -> bool:
    """The fourth look: whether ``truth`` (the first) still proves the entry old, given what PostgreSQL says ``now``."""
    if now.generation != truth.generation:
        return False
    if truth.version == 0 or entry.version == 0:
        return now.version == truth.version
    return now.version >= truth.version


def _is_comparable(generation: bytes, seen: bytes) -> bool:
    """Of one history, and of no later epoch than PostgreSQL was in."""
    history, *epochs = generation.split(b".")
    seen_history, *seen_epochs = seen.split(b".")
    if history != seen_history or not epochs or not all(each.isdigit() for each in (*epochs, *seen_epochs)):
        return False
    # The epoch of everything, then the type's own, where it has one: [7] is before [7, 1], and [7, 1] before [8].
    return [int(each) for each in epochs] <= [int(each) for each in seen_epochs]
