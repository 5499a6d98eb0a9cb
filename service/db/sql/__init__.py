"""SQL as named files: `sql("load")` is the text of `load.sql`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def sql(name: str) -> str:
    return files(__name__).joinpath(f"{name}.sql").read_text()
