"""The hits that nothing has to be decided about, which are nearly all: answered out of the entry's bytes in one step.

An exact part of what `codec.decode`, `policy.judge` and `visit.answer_entry` do one after the other, at half the price:
no entry is made, no draw is looked at. Whatever is not clearly such a hit is None here, and goes that way. Pure.
"""

from __future__ import annotations

from service.cache.entry import EARLIEST_MS, END_MS, HEADER_MOST, Answer, Detail, Outcome
from service.cache.policy import LONGEST_CERTAIN_LEAD_MS, LONGEST_LEAD, MIN_REFRESH_COST_MS

# An enum's members and a tuple's constructor are Python code each time they are used by their names.
_HIT, _NO_DETAIL = Outcome.HIT, Detail.NONE
_new = tuple.__new__


def plain_hit(  # noqa: PLR0917 (by keywords it costs a tenth more)
    raw: bytes, name: str, generation: bytes, now_ms: int, beta: float, cache_ms: float
) -> Answer | None:
    """A value of this name and generation, so long before its end that no draw would refresh it."""
    head, newline, body = raw.partition(b"\n")
    try:
        kind, version, labelled, cost, written, fresh, stale, modified, named = head.split(b" ")
        if labelled != generation or named != name.encode() or kind != b"V1" or not newline or not stale.isdigit():
            return None
        modified_ms, cost_ms, left_ms = int(modified), int(cost), int(fresh) - now_ms
        if len(head) - len(named) > HEADER_MOST or not EARLIEST_MS <= modified_ms < END_MS:
            return None
        lead = LONGEST_LEAD * beta
        if (
            left_ms <= LONGEST_CERTAIN_LEAD_MS + cost_ms
            or left_ms <= lead * cost_ms
            or left_ms <= lead * MIN_REFRESH_COST_MS
        ):
            return None
        age_ms = max(0, now_ms - int(written))
        return _new(Answer, (_HIT, int(version), body, modified_ms, age_ms, left_ms, False, _NO_DETAIL, cache_ms, 0.0))
    except ValueError:
        return None
