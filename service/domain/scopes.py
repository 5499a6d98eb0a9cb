"""What a key may do: verbs on entity types, `read:country`, `write:price-*`; and the one decision over them. Pure."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Self

from service.errors import Fault, InvalidBodyError

SCOPE_PATTERN = r"^(?:(?:read|write|steer|observe):[a-z*][a-z0-9_*-]{0,62}|admin:\*)$"
_SCOPE = re.compile(SCOPE_PATTERN[1:-1])
_NO_SCOPE = (
    "is no scope: a verb (read, write, steer, observe) and an entity type, in which * stands for anything, as in "
    "read:price-*; or admin:*"
)
_NOTHING = re.compile(r"(?!)")


class Verb(StrEnum):
    """``WRITE``: put, patch, delete. ``STEER``: purge, warm, cancel, policies. ``OBSERVE``: figures, hot keys, jobs,
    and why a key is answered as it is. ``ADMIN``: keys; it speaks of no type.
    """

    READ = "read"
    WRITE = "write"
    STEER = "steer"
    OBSERVE = "observe"
    ADMIN = "admin"

    __hash__ = str.__hash__  # an Enum's own is Python code


OF_TYPES = (Verb.READ, Verb.WRITE, Verb.STEER, Verb.OBSERVE)


class Of(Enum):
    """What is asked for, where it is not one type that is known beforehand."""

    EVERYTHING = "*"
    """Only a scope that is said of `*` does."""
    SOMETHING = "?"
    """Types that the body names, or what is stored: any scope of the verb will do, until they are known."""


class Decision(Enum):
    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    HIDDEN = "hidden"
    """It must not be told whether there is such a thing: it is answered as one that is absent."""


@dataclass(frozen=True, slots=True)
class Scopes:
    """Compiled when it is made: each request asks. ``texts`` are as `parse_scopes` takes them."""

    texts: tuple[str, ...]
    _patterns: dict[Verb, re.Pattern[str]] = field(init=False, repr=False, compare=False)
    _verbs_on_all: frozenset[Verb] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        globs: dict[Verb, list[str]] = {}
        for text in self.texts:
            verb, _, glob = text.partition(":")
            globs.setdefault(Verb(verb), []).append(glob)
        # fnmatch makes each star atomic up to what follows it: no pattern takes longer than the name is long.
        patterns = {verb: re.compile("|".join(map(fnmatch.translate, found))) for verb, found in globs.items()}
        object.__setattr__(self, "_patterns", patterns)
        object.__setattr__(self, "_verbs_on_all", frozenset(verb for verb, found in globs.items() if "*" in found))

    def allow(self, verb: Verb, on: str | Of) -> bool:
        if on is Of.EVERYTHING:
            return verb in self._verbs_on_all
        if on is Of.SOMETHING:
            return verb in self._patterns
        return self._patterns.get(verb, _NOTHING).match(str(on)) is not None

    def cover(self, others: Self) -> bool:
        """Whether whoever has these may give ``others``. A star of theirs is matched by nothing but a star of ours."""
        return all(self.allow(Verb(verb), glob) for verb, _, glob in (text.partition(":") for text in others.texts))


def parse_scopes(texts: Iterable[str]) -> Scopes:
    """Raises InvalidBodyError, with the place of each that is none, and not what stands there: it may be a secret."""
    found = tuple(dict.fromkeys(texts))
    faults = [Fault(f"/scopes/{place}", _NO_SCOPE) for place, text in enumerate(found) if not _SCOPE.fullmatch(text)]
    if faults or not found:
        raise InvalidBodyError.at(*(faults[:10] or [Fault("/scopes", "a key needs at least one scope, as in read:*")]))
    return Scopes(found)


def is_scope(text: str) -> bool:
    return _SCOPE.fullmatch(text) is not None


def decide(scopes: Scopes, verbs: Sequence[Verb], on: str | Of) -> Decision:
    """Whether all of ``verbs`` may be done to entities of a type.

    Hidden is only what would be read, of a type of which the key may do nothing at all: any other refusal is the same
    whether or not there is such an entity, and so tells nothing.
    """
    if all(scopes.allow(verb, on) for verb in verbs):
        return Decision.ALLOWED
    is_reading = list(verbs) == [Verb.READ]
    is_known = isinstance(on, Of) or any(scopes.allow(verb, on) for verb in OF_TYPES)
    return Decision.HIDDEN if is_reading and not is_known else Decision.FORBIDDEN
