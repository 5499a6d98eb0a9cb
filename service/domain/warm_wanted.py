"""What a job of warming is asked to do, and how that is kept as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.errors import InvalidInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmWanted:
    """One of: the ``hot`` keys, so many; ``ids`` of one type; all of these types (none: of all) with the prefix."""

    entity_types: tuple[str, ...] = ()
    prefix: str = ""
    ids: tuple[str, ...] | None = None
    hot: int | None = None
    rows_per_second: float | None = None

    @property
    def as_json(self) -> dict[str, Any]:
        rate = {} if self.rows_per_second is None else {"rows_per_second": self.rows_per_second}
        if self.hot is not None:
            return {"hot": self.hot, **rate}
        if self.ids is not None:
            return {"entity_type": self.entity_types[0], "ids": list(self.ids), **rate}
        return {"entity_types": list(self.entity_types), "prefix": self.prefix, **rate}

    @classmethod
    def from_json(cls, wanted: Mapping[str, Any]) -> WarmWanted:
        """Raises InvalidInputError for what no version of this service has asked for."""
        rate = wanted.get("rows_per_second")
        match wanted:
            case {"hot": int(hot)}:
                return cls(hot=hot, rows_per_second=rate)
            case {"entity_type": str(entity_type), "ids": [*ids]}:
                return cls(entity_types=(entity_type,), ids=tuple(ids), rows_per_second=rate)
            case {"entity_types": [*entity_types], "prefix": str(prefix)}:
                return cls(entity_types=tuple(entity_types), prefix=prefix, rows_per_second=rate)
            case _:
                raise InvalidInputError("this job says nothing that can be warmed")
