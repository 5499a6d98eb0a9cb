"""How many entities look as JSON: the schemas that the OpenAPI document refers to. A single one is any JSON."""

from __future__ import annotations

from service.api.batches import BATCH_MAX
from service.api.documentation import Fragment
from service.api.schemas import CURSOR, MOMENT, NAME, VERSION, list_of, object_of, ref

_BODY: Fragment = {"description": "the document as it is stored: any JSON value"}


def entity_schemas() -> dict[str, Fragment]:
    """By name, for `components.schemas`."""
    ids = list_of({"type": "string"}, minItems=1, maxItems=BATCH_MAX)
    return {
        "ListedEntity": object_of(
            "An entity, as far as a list tells", {"id": NAME, "version": VERSION, "updated_at": MOMENT, "body": _BODY}
        ),
        "EntityPage": object_of("Some entities", {"entities": list_of(ref("ListedEntity")), "next_cursor": CURSOR}),
        "EntityIds": object_of("Which to read", {"ids": ids}, closed=True),
        "EntityResult": object_of(
            "`version` and `body` where the status is 200, otherwise `problem`",
            {
                "id": {"type": "string"},
                "status": {"type": "integer"},
                "version": VERSION,
                "body": _BODY,
                "problem": ref("Problem"),
            },
            optional=("version", "body", "problem"),
        ),
        "EntityResults": object_of("One for each id, in order", {"items": list_of(ref("EntityResult"))}),
    }
