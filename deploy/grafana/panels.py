"""What Grafana wants to read of a dashboard: panels in rows, laid out from left to right, as its JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

_WIDTH = 24
_SOURCE = {"type": "prometheus", "uid": "${source}"}

Step = tuple[float | None, str]
"""From this value on, this colour; None: from the beginning."""
Words = dict[str, tuple[str, str]]
"""What a value is called, and its colour: `{"1": ("on", "green")}`."""


@dataclass(frozen=True, slots=True)
class Query:
    """``legend`` names a line by its labels: `{{route}}`."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """``unit`` is Grafana's; ``steps`` colour the value of a stat, and are drawn as areas in a time series."""

    title: str
    says: str
    unit: str
    queries: Sequence[Query]
    kind: Literal["stat", "timeseries", "state-timeline"] = "timeseries"
    width: int = 8
    height: int = 8
    steps: Sequence[Step] = ((None, "green"),)
    stacked: bool = False
    most: float | None = None
    words: Words = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    panels: Sequence[Panel]


def dashboard(
    uid: str, title: str, description: str, *, rows: Sequence[Row], variables: Sequence[str]
) -> dict[str, Any]:
    """``variables``, beside the data source and the job: `instance`, `entity_type`."""
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["aside"],
        "schemaVersion": 38,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": [_alerts()]},
        "links": [
            {
                "type": "dashboards",
                "title": "Aside",
                "tags": ["aside"],
                "asDropdown": False,
                "keepTime": True,
                "includeVars": True,
            }
        ],
        "templating": {"list": [_source(), _variable("job"), *(_variable(name) for name in variables)]},
        "panels": list(_laid_out(rows)),
    }


def _alerts() -> dict[str, Any]:
    return {
        "name": "Alerts",
        "datasource": _SOURCE,
        "enable": True,
        "iconColor": "red",
        "expr": 'ALERTS{job="$job", alertstate="firing"}',
        "titleFormat": "{{alertname}}",
        "textFormat": "{{instance}}",
        "step": "30s",
    }


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus", "refresh": 1}


def _variable(name: str) -> dict[str, Any]:
    """A choice among the values of a label: one job; of everything else several, or all."""
    of_which = {
        "job": "label_values(aside_build_info, job)",
        "instance": 'label_values(aside_build_info{job="$job"}, instance)',
        "entity_type": 'label_values(aside_cache_requests_total{job="$job"}, entity_type)',
    }[name]
    several = name != "job"
    return {
        "name": name,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": of_which, "refId": name},
        "definition": of_which,
        "refresh": 2,
        "sort": 1,
        "multi": several,
        "includeAll": several,
        **({"allValue": ".*", "current": {"text": "All", "value": "$__all"}} if several else {}),
    }


def _laid_out(rows: Sequence[Row]) -> Any:
    number, top = 0, 0
    for row in rows:
        number += 1
        yield _row(number, row.title, top)
        left, top, tallest = 0, top + 1, 0
        for panel in row.panels:
            if left + panel.width > _WIDTH:
                left, top, tallest = 0, top + tallest, 0
            number += 1
            yield _panel(number, panel, {"x": left, "y": top, "w": panel.width, "h": panel.height})
            left, tallest = left + panel.width, max(tallest, panel.height)
        top += tallest


def _row(number: int, title: str, top: int) -> dict[str, Any]:
    place = {"x": 0, "y": top, "w": _WIDTH, "h": 1}
    return {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": _SOURCE,
        "gridPos": place,
        "targets": [
            {"refId": chr(65 + n), "datasource": _SOURCE, "expr": query.expr, "legendFormat": query.legend or "__auto"}
            for n, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    steps = [{"value": value, "color": colour} for value, colour in panel.steps]
    words = {value: {"text": text, "color": colour} for value, (text, colour) in panel.words.items()}
    defaults: dict[str, Any] = {
        "unit": panel.unit,
        "min": 0,
        "color": {"mode": "palette-classic" if panel.kind == "timeseries" else "thresholds"},
        "thresholds": {"mode": "absolute", "steps": steps},
        "mappings": [{"type": "value", "options": words}] if words else [],
    }
    if panel.most is not None:
        defaults["max"] = panel.most
    if panel.kind == "timeseries":
        defaults["custom"] = {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 25 if panel.stacked else 5,
            "showPoints": "never",
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "area" if len(steps) > 1 else "off"},
        }
    return defaults


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
        return {"reduceOptions": last, "colorMode": "background", "graphMode": "none", "textMode": "auto"}
    if panel.kind == "state-timeline":
        return {"mergeValues": True, "showValue": "auto", "rowHeight": 0.8, "legend": {"showLegend": False}}
    return {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
