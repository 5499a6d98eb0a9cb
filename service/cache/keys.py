"""The names of things in Redis. One place, pure."""

from __future__ import annotations

HEARTBEAT = "aside:hb"
WATERMARK = "aside:wm"


def name_of(entity_type: str, entity_id: str) -> str:
    """What an entry calls itself; a reader compares it, so that no connection mix-up can hand out another's value."""
    return f"{entity_type}:{entity_id}"


def cache_key(name: str) -> str:
    """The key an entry lives under: `cache:{entity_type}:{id}`."""
    return f"cache:{name}"


def refresh_key(name: str) -> str:
    """The small lease that decides who refreshes early. Losing it costs one more load, nothing else."""
    return f"refresh:{name}"


def split(name: str) -> tuple[str, str]:
    """The type and the id of a name: a type has no colon."""
    entity_type, _, entity_id = name.partition(":")
    return entity_type, entity_id
