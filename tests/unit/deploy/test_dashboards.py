"""The dashboards' JSON: what the program writes, complete, and laid out without overlaps."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.alerts.panels import DASHBOARDS, panels_of
from tests.alerts.prometheus import DEPLOY

KNOWN_TO_GRAFANA = {"__rate_interval", "__range"}


def test_the_files_are_what_the_program_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-B", DEPLOY / "grafana" / "make_dashboards.py", tmp_path], check=True)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        path.name: path.read_text() for path in DASHBOARDS
    }


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_panel_says_what_it_shows_and_in_which_unit(path: Path) -> None:
    panels = panels_of(path)
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    for panel in panels:
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["description"], panel["title"]
        assert defaults["unit"], panel["title"]
        assert defaults["thresholds"]["steps"][0]["value"] is None, panel["title"]
        assert panel["targets"], panel["title"]
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${source}"}


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_queries_use_only_variables_that_there_are(path: Path) -> None:
    made = json.loads(path.read_text())
    variables = {variable["name"] for variable in made["templating"]["list"]}
    assert {"source", "job", "instance"} <= variables
    for panel in panels_of(path):
        for target in panel["targets"]:
            assert set(re.findall(r"\$(\w+)", target["expr"])) <= variables | KNOWN_TO_GRAFANA, target["expr"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_no_panel_lies_over_another(path: Path) -> None:
    places = [panel["gridPos"] for panel in json.loads(path.read_text())["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in itertools.combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)
