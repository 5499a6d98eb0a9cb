"""`demo`, which is `make demo`: what it shows is what happens."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.conftest import Replicas


@pytest.mark.timeout(180)
def test_the_demo_shows_entities_parameters_and_an_outage_without_an_old_value(replicas: Replicas) -> None:
    [replica] = replicas()
    shown = subprocess.run(
        [sys.executable, "-m", "service", "demo", "--url", replica.url], capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "more than its schema allows" in shown.stdout
    assert re.search(r"reads of 200 parameters.* hit ratio \d", shown.stdout)
    assert "fwd=bypass; detail=cache-unreachable" in shown.stdout
    assert re.search(r"A reader asked [\d,]+ times meanwhile: 0 failures, 0 old values", shown.stdout)


def test_the_demo_says_so_where_no_service_answers() -> None:
    argv = [sys.executable, "-m", "service", "demo", "--no-outage", "--url", "http://127.0.0.1:1"]
    shown = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert shown.returncode == 1
    assert "No service answers" in shown.stdout
