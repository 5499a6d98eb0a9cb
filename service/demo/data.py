"""ISO 3166: some 250 countries and 5,000 of their subdivisions, as entities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple


class Document(NamedTuple):
    entity_type: str
    id: str
    body: dict[str, Any]

    @property
    def path(self) -> str:
        return f"/v1/entities/{self.entity_type}/{self.id}"

    @property
    def as_write(self) -> dict[str, Any]:
        """One of a batch."""
        return {"op": "put", "entity_type": self.entity_type, "id": self.id, "body": self.body}


def documents() -> Iterator[Document]:
    """Everything that `pycountry` ships of ISO 3166-1 and 3166-2."""
    import pycountry  # noqa: PLC0415 (only the demo has it, and it reads files when imported)

    for country in pycountry.countries:
        yield Document("country", country.alpha_2, dict(country))
    for subdivision in pycountry.subdivisions:
        body = {name: value for name, value in dict(subdivision).items() if isinstance(value, str)}
        yield Document("subdivision", subdivision.code, body)
