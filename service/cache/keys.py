"""The names of things in Redis, and the labels that tell which entries count. One place, pure."""

from __future__ import annotations

from functools import lru_cache

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


def label_of(generation: bytes, name: str) -> bytes:
    """What entries of this name are labelled with. ``generation`` is as the heartbeat has it.

    That is `<history>.<epoch>`, and behind it, each after a blank, `<type>:<number>` of every type that has been given
    up as a whole since: entries of these are labelled `<history>.<epoch>.<number>`, so that none from before counts.
    """
    return generation if b" " not in generation else _label_of_type(generation, split(name)[0])


@lru_cache(maxsize=1_024)
def _label_of_type(generation: bytes, entity_type: str) -> bytes:
    base, *type_epochs = generation.split(b" ")
    wanted = entity_type.encode() + b":"
    return next((base + b"." + each[len(wanted) :] for each in type_epochs if each.startswith(wanted)), base)
