"""The queries of the dashboards, as Grafana would send them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from tests.alerts.prometheus import DEPLOY

DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))


class PanelQuery(NamedTuple):
    panel: str
    expr: str


def panels_of(dashboard: Path) -> list[dict[str, Any]]:
    return [panel for panel in json.loads(dashboard.read_text())["panels"] if panel["type"] != "row"]


def panel_queries(job: str) -> list[PanelQuery]:
    """Of every panel, with one job chosen, and of all else everything."""
    values = {"job": job, "instance": ".*", "entity_type": ".*", "__rate_interval": "5m", "__range": "5m"}
    return [
        PanelQuery(f"{path.stem}: {panel['title']}", re.sub(r"\$(\w+)", lambda name: values[name[1]], target["expr"]))
        for path in DASHBOARDS
        for panel in panels_of(path)
        for target in panel["targets"]
    ]
