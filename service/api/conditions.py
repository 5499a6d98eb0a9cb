"""Reads If-Match, If-None-Match and If-Modified-Since (RFC 9110, section 13). Pure: headers in, conditions out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from service.domain.entity import ALWAYS, WriteCondition
from service.errors import InvalidInputError

MATCHES_NOTHING = frozenset({-1})
"""A set of versions that no entity has; the empty set is taken: it means any version."""

_TAG = re.compile(r'[ \t]*(?:(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7e\x80-\xff]*)")?[ \t]*(?:,|\Z)')
_VERSION = re.compile(r"[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class TagList:
    """Entity tags, as far as they can be ours. ``weak`` has every version named, ``strong`` those named strongly."""

    strong: frozenset[int]
    weak: frozenset[int]
    anything: bool = False


@dataclass(frozen=True, slots=True)
class ReadCondition:
    """On what a reader wants the document. ``modified_since_ms`` counts only where ``if_none_match`` is None."""

    if_match: TagList | None = None
    if_none_match: TagList | None = None
    modified_since_ms: int | None = None

    def fails_for(self, version: int) -> bool:
        """Whether the answer is 412. Tags are compared strongly."""
        tags = self.if_match
        return tags is not None and not tags.anything and version not in tags.strong

    def is_unmodified(self, version: int, modified_at_ms: int) -> bool:
        """Whether the answer is 304. Tags are compared weakly.

        A date names a whole second, and two writes may share one. So a document counts as unmodified only if it was
        written before that second began; a client that wants 304 more often sends the ETag.
        """
        tags = self.if_none_match
        if tags is not None:
            return tags.anything or version in tags.weak
        return self.modified_since_ms is not None and modified_at_ms < self.modified_since_ms


UNCONDITIONAL = ReadCondition()


def read_condition(headers: Mapping[str, str]) -> ReadCondition:
    """What a GET or HEAD depends on. Raises `InvalidInputError` for bad tags; a bad date is ignored, as it must be."""
    match, none_match = headers.get("if-match"), headers.get("if-none-match")
    since = headers.get("if-modified-since")
    if match is None and none_match is None and since is None:
        return UNCONDITIONAL
    return ReadCondition(
        None if match is None else parse_tags(match, "If-Match"),
        None if none_match is None else parse_tags(none_match, "If-None-Match"),
        None if since is None else _parse_date(since),
    )


def write_condition(headers: Mapping[str, str]) -> WriteCondition:
    """What a PUT, PATCH or DELETE depends on. Raises `InvalidInputError` for what cannot be read or cannot be kept."""
    match, none_match = headers.get("if-match"), headers.get("if-none-match")
    if match is None and none_match is None:
        _refuse_dates(headers)
        return ALWAYS
    if none_match is not None and not parse_tags(none_match, "If-None-Match").anything:
        raise InvalidInputError("a write can depend on If-None-Match: * only; use If-Match", pointer="If-None-Match")
    return WriteCondition(
        if_match=None if match is None else asked_versions(match),
        must_be_absent=none_match is not None,
    )


def parse_tags(value: str, header: str) -> TagList:
    """The tags of one header, but for those that are no version of ours: none can match. Raises `InvalidInputError`."""
    tags = _tags(value, header)
    if tags is None:
        return TagList(frozenset(), frozenset(), anything=True)
    versions = [(is_weak, int(opaque)) for is_weak, opaque in tags if _VERSION.fullmatch(opaque)]
    return TagList(
        strong=frozenset(version for is_weak, version in versions if not is_weak),
        weak=frozenset(version for _, version in versions),
    )


def is_known(headers: Mapping[str, str], opaque: str) -> bool:
    """Whether a reader has what this tag names, which is no version: the answer is 304. Tags are compared weakly.

    Raises `InvalidInputError` for bad tags.
    """
    none_match = headers.get("if-none-match")
    if none_match is None:
        return False
    tags = _tags(none_match, "If-None-Match")
    return tags is None or any(each == opaque for _, each in tags)


def _tags(value: str, header: str) -> list[tuple[bool, str]] | None:
    """Each tag of a header: whether it is weak, and what stands in its quotation marks. None: `*`."""
    if value.strip(" \t") == "*":
        return None
    tags: list[tuple[bool, str]] = []
    position = 0
    while position < len(value):
        match = _TAG.match(value, position)
        if match is None:
            raise InvalidInputError(f"{header} must be * or a list of entity tags in quotation marks", pointer=header)
        position = match.end()
        if match["opaque"] is not None:
            tags.append((match["weak"] is not None, match["opaque"]))
    if not tags:
        raise InvalidInputError(f"{header} has no entity tag", pointer=header)
    return tags


def asked_versions(value: str) -> frozenset[int]:
    """The versions of which an If-Match asks for one, none for any. Raises `InvalidInputError`."""
    tags = parse_tags(value, "If-Match")
    if tags.anything:
        return frozenset()
    return tags.strong or MATCHES_NOTHING


def _refuse_dates(headers: Mapping[str, str]) -> None:
    """A write must not happen if this condition fails, and a second is too coarse to tell: better no write at all."""
    if "if-unmodified-since" in headers:
        raise InvalidInputError("If-Unmodified-Since is not supported; use If-Match", pointer="If-Unmodified-Since")


def _parse_date(value: str) -> int | None:
    try:
        at = parsedate_to_datetime(value)
        # Without a zone, as asctime writes it, it is one of UTC (RFC 9110, section 5.6.7), wherever this process runs.
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
