"""Which documents describe a policy: what each member may be, and what they may be together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from service.cache.policy import Policy, Strategy
from service.db.policies import Members
from service.domain.exact_json import Json, Numeral, parse_exact, pointer_to
from service.errors import Fault, InvalidPolicyError

READ_ONLY = frozenset({"entity_type", "source", "version", "updated_at", "updated_by"})
"""What a policy that was read may bring along when it is sent back: taken, and not looked at but for the type."""


class Range(NamedTuple):
    """Which numbers a member may be. ``most`` None: as many seconds as tombstones are kept."""

    least: float
    most: float | None
    excludes_least: bool = False

    def has(self, value: float, longest_seconds: float) -> bool:
        is_enough = value > self.least if self.excludes_least else value >= self.least
        return is_enough and value <= (longest_seconds if self.most is None else self.most)

    def words(self, longest_seconds: float) -> str:
        most = longest_seconds if self.most is None else self.most
        return f"must be a number {'above' if self.excludes_least else 'from'} {self.least:g}, up to {most:.10g}"


RANGES = {
    "ttl_seconds": Range(0, None, excludes_least=True),
    "jitter": Range(0, 0.5),
    "negative_ttl_seconds": Range(0, None, excludes_least=True),
    "stale_if_error_seconds": Range(0, None),
    "early_refresh_beta": Range(0, 10),
}
"""With nothing below 0, `service.cache.policy.lifetimes` only ever adds: what is fresh is never past its last use."""


def read_policy(text: str, *, entity_type: str, base: Policy, longest_seconds: float) -> Policy:
    """What a checked request body states: its members, and those of ``base`` that it leaves out.

    ``longest_seconds`` is how long tombstones are kept. Raises InvalidPolicyError with every fault.
    """
    body = parse_exact(text)
    if not isinstance(body, dict):
        raise InvalidPolicyError.at(Fault("", "must be an object with members of a policy"))
    faults = list(_faults_of_form(body, entity_type))
    numbers: dict[str, Any] = {name: float(body[name].text) for name in RANGES if isinstance(body.get(name), Numeral)}
    stated = members_of(base)._replace(**numbers)
    faults += faults_of(stated, longest_seconds=longest_seconds)
    if faults:
        raise InvalidPolicyError.at(*faults)
    return policy_of_members(stated._replace(strategy=body.get("strategy", stated.strategy)))


def _faults_of_form(body: Mapping[str, Json], entity_type: str) -> Iterator[Fault]:
    for name, value in body.items():
        if name in RANGES:
            if not isinstance(value, Numeral):
                yield Fault(pointer_to(name), "must be a number")
        elif name == "strategy":
            if value not in tuple(Strategy):
                yield Fault("/strategy", f"must be one of {', '.join(Strategy)}")
        elif name not in READ_ONLY:
            yield Fault(pointer_to(name), "is no member of a policy")
    if body.get("entity_type", entity_type) != entity_type:
        yield Fault("/entity_type", "is another type than the path's")


def faults_of(members: Members, *, longest_seconds: float) -> Iterator[Fault]:
    """What no policy may say, wherever it comes from.

    A row that is gone is known to be gone as long as its tombstone is kept: no entry may live longer than that.
    """
    for name, allowed in RANGES.items():
        if not allowed.has(getattr(members, name), longest_seconds):
            yield Fault(pointer_to(name), allowed.words(longest_seconds))
    for name in ("ttl_seconds", "negative_ttl_seconds"):
        lifetime, beyond = getattr(members, name), members.stale_if_error_seconds
        if max(lifetime, beyond) <= longest_seconds < lifetime + beyond:
            words = f"together with {name} must not exceed {longest_seconds:.10g}: so long are tombstones kept"
            yield Fault("/stale_if_error_seconds", words)


def members_of(policy: Policy) -> Members:
    return Members(policy.strategy.value, *(getattr(policy, name) for name in RANGES))


def policy_of_members(members: Members) -> Policy:
    """Of members without a fault."""
    return Policy(**{**members._asdict(), "strategy": Strategy(members.strategy)})


def tree_of(policy: Policy) -> dict[str, Json]:
    """As plain JSON, of which documents and differences are made; whole numbers without a fraction."""
    numbers = {name: getattr(policy, name) for name in RANGES}
    return {
        "strategy": policy.strategy.value,
        **{name: int(value) if float(value).is_integer() else value for name, value in numbers.items()},
    }
