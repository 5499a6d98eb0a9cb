"""What can be asked of the cache: which bodies `purge` and `warm` take."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.api.forms import WHOLE
from service.api.steering_conditions import PURGE_CONDITIONS, WARM_CONDITIONS
from service.domain.entity import ENTITY_ID_PATTERN, ENTITY_TYPE_PATTERN, PREFIX_PATTERN
from service.domain.warm_wanted import WarmWanted
from service.services.purging import PurgeWanted

IDS_MAX = 1_000
HOT_MAX = 100_000

EntityType = Annotated[str, Field(pattern=ENTITY_TYPE_PATTERN)]
Id = Annotated[str, Field(pattern=ENTITY_ID_PATTERN)]
Ids = Annotated[list[Id], Field(min_length=1, max_length=IDS_MAX)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PurgeForm(_Form):
    """What is to go: some `ids` of a type, its ids with a `prefix`, the whole type, or `all`."""

    model_config = ConfigDict(json_schema_extra=PURGE_CONDITIONS)

    entity_type: EntityType | None = None
    ids: Ids | None = None
    prefix: Annotated[str, Field(pattern=PREFIX_PATTERN)] = ""
    all: bool = Field(default=False, description="everything, whatever its type")
    dry_run: bool = Field(default=False, description="only count")

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if self.all is (self.entity_type is not None):
            raise ValueError("say either `entity_type` or `all`")
        if self.all and (self.ids is not None or self.prefix):
            raise ValueError("`ids` and `prefix` belong to an `entity_type`")
        if self.ids is not None and self.prefix:
            raise ValueError("say either `ids` or `prefix`")
        return self

    def wanted(self) -> PurgeWanted:
        return PurgeWanted(entity_type=self.entity_type, prefix=self.prefix, dry_run=self.dry_run)


class WarmForm(_Form):
    """What to fill the cache with: the `hot` keys, some `ids` of a type, or whole `entity_types` (none: all)."""

    model_config = ConfigDict(json_schema_extra=WARM_CONDITIONS)

    entity_types: Annotated[list[EntityType], Field(max_length=100)] | None = None
    prefix: Annotated[str, Field(pattern=PREFIX_PATTERN, description="only ids that begin so")] = ""
    entity_type: Annotated[str, Field(pattern=ENTITY_TYPE_PATTERN)] | None = None
    ids: Ids | None = None
    hot: Annotated[int, Field(ge=1, le=HOT_MAX, description="so many of the keys that are read most"), WHOLE] | None = (
        None
    )
    rows_per_second: (
        Annotated[float, Field(ge=1, le=1_000_000, description="at the most; 2,000 if not configured otherwise")] | None
    ) = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if (self.entity_type is None) is not (self.ids is None):
            raise ValueError("`entity_type` and `ids` belong together; whole types are `entity_types`")
        if (self.ids is not None) + (self.hot is not None) + (self.entity_types is not None) != 1:
            raise ValueError("say one of `entity_types`, `ids` and `hot`")
        if self.prefix and self.entity_types is None:
            raise ValueError("`prefix` belongs to `entity_types`")
        return self

    def wanted(self) -> WarmWanted:
        if self.hot is not None:
            return WarmWanted(hot=self.hot, rows_per_second=self.rows_per_second)
        if self.ids is not None and self.entity_type is not None:
            return WarmWanted(
                entity_types=(self.entity_type,), ids=tuple(self.ids), rows_per_second=self.rows_per_second
            )
        return WarmWanted(
            entity_types=tuple(self.entity_types or ()), prefix=self.prefix, rows_per_second=self.rows_per_second
        )
