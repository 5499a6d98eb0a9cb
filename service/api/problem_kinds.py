"""The one table from errors to HTTP: which status, title and type each kind of error has. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus

from service import errors


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of problem (RFC 9457). ``type`` is a relative reference; with `about:blank` the status says it all."""

    status: int
    title: str
    type: str = "about:blank"


def _kind(status: int, slug: str, title: str) -> ProblemKind:
    return ProblemKind(status, title, f"/problems/{slug}")


INTERNAL = _kind(500, "internal-error", "Something went wrong inside the service")
MALFORMED_REQUEST = _kind(400, "malformed-request", "The request is not HTTP")
REQUEST_TIMEOUT = _kind(408, "request-timeout", "The request did not arrive in time")
HEAD_TOO_LARGE = _kind(431, "head-too-large", "The head of the request is too large")
RATE_LIMITED = _kind(429, "rate-limited", "The client sends more than it may")
OVERLOADED = _kind(503, "overloaded", "The service has more to do than it can do in time")
INVALID_REQUEST = _kind(422, "invalid-request", "The request's parameters are not valid")

BY_ERROR: dict[type[errors.AsideError], ProblemKind] = {
    errors.AsideError: INTERNAL,
    errors.InvalidInputError: _kind(400, "invalid-input", "The request cannot be understood"),
    errors.MalformedJsonError: _kind(400, "malformed-json", "The body is not valid JSON"),
    errors.UnacceptableDocumentError: _kind(422, "unacceptable-document", "The document cannot be stored"),
    errors.TooLargeError: _kind(413, "too-large", "The body is too large"),
    errors.KeyReusedError: _kind(422, "idempotency-key-reused", "The Idempotency-Key stands for another request"),
    errors.InvalidBodyError: _kind(422, "invalid-body", "The body does not have the form asked for"),
    errors.InvalidParameterError: _kind(422, "invalid-parameter", "The parameter is not valid"),
    errors.UnusableSchemaError: _kind(422, "unusable-schema", "The schema cannot be used"),
    errors.SchemaViolationError: _kind(422, "schema-violation", "The value violates its schema"),
    errors.InvalidPolicyError: _kind(422, "invalid-policy", "The policy is not valid"),
    errors.ReservedTypeError: _kind(405, "reserved-type", "Entities of this type are written elsewhere"),
    errors.ConflictError: _kind(409, "conflict", "What is stored does not allow this"),
    errors.RepeatUnderWayError: _kind(
        409, "idempotency-key-in-use", "A request with this Idempotency-Key is under way"
    ),
    errors.BatchRefusedError: _kind(409, "batch-refused", "Some of the writes cannot be done, so none was"),
    errors.TypeChangeError: _kind(409, "type-change", "The parameter has another type"),
    errors.UnauthenticatedError: _kind(401, "unauthenticated", "A key is needed"),
    errors.ForbiddenError: _kind(403, "forbidden", "The key does not allow this"),
    errors.NotFoundError: _kind(404, "not-found", "There is no such entity"),
    errors.CursorGoneError: _kind(410, "cursor-gone", "What follows is not kept any more: read everything again"),
    errors.NotCachedError: _kind(504, "not-cached", "The cache has no answer"),
    errors.PreconditionFailedError: _kind(412, "precondition-failed", "The entity is not in the state asked for"),
    errors.UnavailableError: _kind(503, "unavailable", "The service cannot answer now"),
    errors.CacheUnavailableError: _kind(503, "cache-unavailable", "The cache cannot answer now"),
    errors.DatabaseUnavailableError: _kind(503, "database-unavailable", "The database cannot answer now"),
    errors.DatabaseBusyError: _kind(503, "database-busy", "The database is busy"),
    errors.OverloadedError: OVERLOADED,
    errors.SchemaMissingError: _kind(503, "schema-missing", "The database has not been migrated"),
    errors.RevocationsUnknownError: _kind(503, "revocations-unknown", "No key can be trusted now"),
    errors.ChecksBusyError: _kind(503, "checks-busy", "Too many values wait to be checked"),
    errors.WriteOutcomeUnknownError: _kind(503, "write-outcome-unknown", "The write may have happened, or not"),
}
"""Every type in `service.errors` stands here itself; a test proves it."""

_BY_STATUS: dict[int, ProblemKind] = {
    404: _kind(404, "no-such-path", "There is nothing at this path"),
    405: _kind(405, "method-not-allowed", "The method is not allowed here"),
    415: _kind(415, "unsupported-media-type", "The body's type is not supported"),
}


def kind_of_error(error: errors.AsideError) -> ProblemKind:
    """The kind of the error's own type, or of the nearest one above it that stands in the table."""
    return next(BY_ERROR[kind] for kind in type(error).__mro__ if kind in BY_ERROR)


def kind_of_batch(error: errors.BatchRefusedError) -> ProblemKind:
    """A batch has the status of the writes that are to blame, where they agree, and otherwise that of a conflict.

    405 speaks of the path that was asked for, and is never the whole's.
    """
    kind, statuses = kind_of_error(error), {kind_of_error(refusal.error).status for refusal in error.refusals}
    if len(statuses) != 1 or HTTPStatus.METHOD_NOT_ALLOWED in statuses:
        return kind
    return replace(kind, status=statuses.pop())


def kind_of_status(status: int) -> ProblemKind:
    """The kind of what the framework refuses by itself."""
    return _BY_STATUS.get(status) or ProblemKind(status, HTTPStatus(status).phrase)
