"""The rules as they are written in deploy/, read by Prometheus itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from tests.alerts.prometheus import RULES, Prometheus, prometheus
from tests.support.waiting import eventually

_SELECTOR = re.compile(r"\b(?:aside_|job\w*:|up\b)[\w:]*(?:\{[^}]*\})?")


class Rule(NamedTuple):
    """``for_seconds``, ``labels`` and ``annotations`` mean something for alerts only."""

    name: str
    query: str
    is_alert: bool
    for_seconds: float
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def selectors(self) -> set[str]:
        """The series that it asks for."""
        return set(_SELECTOR.findall(re.sub(r"\b(by|on|group_left) \([^)]*\)", "", self.query)))


async def rules_as_written() -> list[Rule]:
    with prometheus({}, {path.name: path.read_text() for path in RULES}) as url:
        server = Prometheus(url)
        await eventually(server.is_ready, within_seconds=30)
        found = await server.rules()
        await server.close()
    return [
        Rule(
            each["name"],
            each["query"],
            each["type"] == "alerting",
            each.get("duration", 0.0),
            each.get("labels", {}),
            each.get("annotations", {}),
        )
        for each in found
    ]
