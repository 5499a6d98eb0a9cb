"""ISO 3166: some 250 countries and 5,000 of their subdivisions, as entities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple


class Document(NamedTuple):
    path: str
    body: dict[str, Any]


def documents() -> Iterator[Document]:
    """Everything that `pycountry` ships of ISO 3166-1 and 3166-2."""
    import pycountry  # noqa: PLC0415 (only the demo has it, and it reads files when imported)

    for country in pycountry.countries:
        yield Document(f"/v1/entities/country/{country.alpha_2}", dict(country))
    for subdivision in pycountry.subdivisions:
        body = {name: value for name, value in dict(subdivision).items() if isinstance(value, str)}
        yield Document(f"/v1/entities/subdivision/{subdivision.code}", body)
