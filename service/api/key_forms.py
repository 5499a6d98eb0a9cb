"""What is asked and told of API keys: the bodies that the routes take, and the reports that they give."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from service.api.forms import WHOLE
from service.db.api_keys import KeyEvent, KeyRow
from service.domain.key_text import NAME_PATTERN
from service.domain.moments import render_moment
from service.domain.scopes import SCOPE_PATTERN

LONGEST_SECONDS = 10 * 365 * 86_400
OVERLAP_SECONDS = 86_400

Lifetime = Annotated[int, Field(ge=1, le=LONGEST_SECONDS, description="from now on; for ever if it is not said"), WHOLE]


Scope = Annotated[str, Field(json_schema_extra={"pattern": SCOPE_PATTERN})]
"""`parse_scopes` checks it, and says what a scope is."""


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class KeyForm(_Form):
    """A key that is to be made."""

    name: Annotated[str, Field(pattern=NAME_PATTERN, description="what stands in histories as the actor")]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=100)]
    expires_in_seconds: Lifetime | None = None


class RotationForm(_Form):
    """A successor that is to be made, with the same name, scopes and span of life."""

    overlap_seconds: Annotated[
        int, Field(ge=0, le=LONGEST_SECONDS, description="how long the old key goes on to be taken"), WHOLE
    ] = OVERLAP_SECONDS


class KeyReport(BaseModel):
    """A key, without its text."""

    id: str
    name: str
    scopes: list[str]
    replaces: str | None = Field(description="the id of the key that it is to take over from")
    created_at: str
    created_by: str | None
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None = Field(description="to about a minute")

    @classmethod
    def members_of(cls, row: KeyRow) -> dict[str, Any]:
        moments = ("created_at", "expires_at", "revoked_at", "last_used_at")
        told = {name: getattr(row, name) for name in moments}
        return {
            **row._asdict(),
            "scopes": list(row.scopes),
            **{name: None if at is None else render_moment(at) for name, at in told.items()},
        }


class NewKeyReport(KeyReport):
    """A key that was just made. This is the only time that its text is told."""

    key: str = Field(description="what is sent as `Authorization: Bearer …`; keep it now, it is stored nowhere")


class KeyEventReport(BaseModel):
    """What was done to a key, and how it was afterwards."""

    kind: str = Field(description="created, changed, revoked or removed")
    at: str
    actor: str | None
    reason: str | None
    said: dict[str, Any]

    @classmethod
    def of(cls, event: KeyEvent) -> KeyEventReport:
        return cls(kind=event.kind, at=render_moment(event.at), actor=event.actor, reason=event.reason, said=event.said)


class KeyWithHistory(KeyReport):
    history: list[KeyEventReport] = Field(description="the newest first")


class KeyList(BaseModel):
    keys: list[KeyReport] = Field(description="live or not, the newest first")


def key_report(row: KeyRow) -> KeyReport:
    return KeyReport(**KeyReport.members_of(row))
