"""What a writer says of itself to the triggers, for the history; see `aside_note()` in the migrations."""

from __future__ import annotations

import json

from service.domain.parameter import Authorship


def note_of(authorship: Authorship, **said: object) -> str:
    """For the setting `aside.note`, of one transaction. What is None is left unsaid."""
    note = {"actor": authorship.actor, "reason": authorship.reason, **said}
    return json.dumps({name: value for name, value in note.items() if value is not None})
