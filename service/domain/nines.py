"""How sure a sample makes: "N nines" out of how many were checked and how many of them were found stale. Pure.

With none stale of K, the exact 95 % upper bound of the share is 1 - 0.05^(1/K), which is below 3/K: the *rule of three*
(Hanley, Lippman-Hand, "If Nothing Goes Wrong, Is Everything All Right?", JAMA 249, 1983). With some stale it is the
upper end of the one-sided interval of Wilson's score ("Probable Inference, the Law of Succession, and Statistical
Inference", JASA 22, 1927), z = 1.645. Both suppose that samples are drawn independently of each other.
"""

from __future__ import annotations

import math

_Z_95 = 1.6448536269514722


def upper_bound(checked: int, stale: int) -> float:
    """The share, in [0, 1], below which the true one lies at 95 % confidence; 1.0 where nothing was checked."""
    if checked <= 0:
        return 1.0
    if stale == 0:
        return min(1.0, 3 / checked)
    share, z2 = min(1.0, stale / checked), _Z_95**2
    middle = share + z2 / (2 * checked)
    reach = _Z_95 * math.sqrt(share * (1 - share) / checked + z2 / (4 * checked**2))
    return min(1.0, (middle + reach) / (1 + z2 / checked))


def nines(checked: int, stale: int) -> int:
    """How many: the largest N with an upper bound of at most 10^-N."""
    bound = upper_bound(checked, stale)
    count = 0
    while bound <= 10.0 ** -(count + 1) * (1 + 1e-9):
        count += 1
    return count


def statement(checked: int, stale: int, *, bound_seconds: float) -> str:
    """The same in words."""
    found = f"{stale:,} stale of {checked:,} samples"
    if checked == 0:
        return "nothing can be said yet: no cached answer has been checked"
    count = nines(checked, stale)
    if count == 0:
        share = upper_bound(checked, stale)
        return (
            f"0 nines: at 95 % confidence up to {share:.2g} of the cached answers might be older than "
            f"B ({bound_seconds:g} s); {found}"
        )
    return (
        f"{count} {'nine' if count == 1 else 'nines'}: at 95 % confidence fewer than 1 in {10**count:,} cached answers "
        f"is older than B ({bound_seconds:g} s); {found}"
    )
