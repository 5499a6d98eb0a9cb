"""The error tree. A leaf: it knows no HTTP, no driver; `service.api.problems` alone maps it to status codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self


class AsideError(Exception):
    """Anything that Aside itself refuses or fails at. Its text may be shown to a client: no secrets, no payloads."""


class InvalidInputError(AsideError):
    """What the client sent cannot be accepted; sending it again will not help.

    ``pointer`` is a JSON Pointer or a parameter's name, where the fault can be placed.
    """

    def __init__(self, detail: str, *, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.pointer = pointer


class MalformedJsonError(InvalidInputError):
    """The body is not JSON (RFC 8259), or not JSON that means the same to every reader (duplicate names, NaN)."""


class UnacceptableDocumentError(InvalidInputError):
    """The body is JSON, but not a document that can be kept: too deep, U+0000, a number that cannot be stored."""


class TooLargeError(InvalidInputError):
    """The body, or the document that a patch would make, exceeds the limit in bytes."""


class Fault(NamedTuple):
    """One thing that is wrong with a body, and where: a JSON Pointer into it."""

    pointer: str
    detail: str


class KeyReusedError(InvalidInputError):
    """The Idempotency-Key stands for another request of this client."""


class InvalidBodyError(InvalidInputError):
    """The body is JSON, but does not have the form that is asked for."""

    def __init__(self, detail: str, *, faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.faults = faults

    @classmethod
    def at(cls, *faults: Fault) -> Self:
        """The error whose text is its first fault."""
        first = faults[0]
        return cls(f"{first.pointer or 'the body'}: {first.detail}", faults=faults)


class InvalidParameterError(InvalidBodyError):
    """The body is no parameter: a member is missing or unknown, or the value is not of its type."""


class UnusableSchemaError(InvalidParameterError):
    """What was given as JSON Schema is none, or cannot be checked within bounds."""


class SchemaViolationError(InvalidParameterError):
    """The value is of its type, but its JSON Schema does not allow it."""


class InvalidPolicyError(InvalidBodyError):
    """The body is no policy: a member is unknown or out of its range, or two of them do not fit."""


class ReservedTypeError(InvalidInputError):
    """Entities of this type are written elsewhere."""


class ConflictError(AsideError):
    """The request is sound, and what is stored does not allow it."""


class TypeChangeError(ConflictError):
    """The parameter exists with another type, and the request does not say that it may change."""


class RepeatUnderWayError(ConflictError):
    """A request with this Idempotency-Key has begun, and has not ended."""


class Refusal(NamedTuple):
    """Why one write of a batch cannot be done; ``place`` counts from 0."""

    place: int
    error: AsideError


class BatchRefusedError(ConflictError):
    """Some writes of a batch cannot be done, so none was."""

    def __init__(self, detail: str, *, refusals: Sequence[Refusal] = ()) -> None:
        super().__init__(detail)
        self.refusals = refusals

    @classmethod
    def because_of(cls, refusals: Sequence[Refusal], *, of: int) -> Self:
        """The error of a batch ``of`` so many writes."""
        return cls(f"{len(refusals)} of {of} writes cannot be done, so nothing was written", refusals=refusals)


class UnauthenticatedError(AsideError):
    """The request has no key, or one that is of no use. A stranger is not told whether it ever was."""


class ForbiddenError(AsideError):
    """The key is good, and has no scope for this."""


class NotFoundError(AsideError):
    """There is no such entity."""


class CursorGoneError(AsideError):
    """What follows this place in the feed of changes is not kept any more, or was never a part of this history."""


class NotCachedError(AsideError):
    """The reader asked for an answer out of the cache only, and the cache has none."""


class PreconditionFailedError(AsideError):
    """If-Match or If-None-Match did not hold. ``current_version`` is None where the entity does not exist."""

    def __init__(self, detail: str, *, current_version: int | None) -> None:
        super().__init__(detail)
        self.current_version = current_version


class UnavailableError(AsideError):
    """Something outside this process cannot answer now; trying again later may help."""

    def __init__(self, detail: str, *, retry_after_seconds: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class CacheUnavailableError(UnavailableError):
    """Redis cannot be reached, is too slow, or answered nonsense. Never an answer to a client: reads go around it."""


class DatabaseUnavailableError(UnavailableError):
    """PostgreSQL cannot be reached, or did not answer within the time it is given."""


class DatabaseBusyError(UnavailableError):
    """Every database connection stayed busy for as long as a request may wait for one."""


class OverloadedError(UnavailableError):
    """This process has more to do than it can do in time, and refuses what matters least. ``work`` is what it refuses,
    in the words of `service.domain.shedding.Work`.
    """

    def __init__(self, detail: str, *, work: str = "miss") -> None:
        super().__init__(detail)
        self.work = work


class SchemaMissingError(UnavailableError):
    """PostgreSQL answers, but the tables are not there, or not all: the migrations have not run."""


class RevocationsUnknownError(UnavailableError):
    """PostgreSQL has not told for too long which keys were revoked: none can be trusted."""


class ChecksBusyError(UnavailableError):
    """Values could not be checked against their schemas within the time that a request waits for it."""


class WriteOutcomeUnknownError(UnavailableError):
    """The connection broke while a write was under way: it may have been committed, or not."""
