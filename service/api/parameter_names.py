"""How parameters are named in paths: a key is one segment, whatever its colons."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Path

from service.domain.entity import ENTITY_ID_PATTERN

PARAMETERS_PATH = "/v1/parameters"
PARAMETER_PATH = PARAMETERS_PATH + "/{key:segment}"
EXAMPLE_KEY = "app:config:max_users"

ParameterKey = Annotated[
    str,
    Path(
        pattern=ENTITY_ID_PATTERN,
        description="the parameter's key; by custom, colons part its namespaces",
        openapi_examples={"max_users": {"value": EXAMPLE_KEY}},
    ),
]


def parameter_location(key: str) -> str:
    """The path of a parameter, for headers."""
    return f"{PARAMETERS_PATH}/{quote(key, safe='~:@')}"
