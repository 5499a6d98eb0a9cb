"""`demo`, which is `make demo`: what it shows is what happens."""

from __future__ import annotations

import re

import pytest

from tests.conftest import Replicas
from tests.support.aside_command import run_aside


@pytest.mark.timeout(180)
def test_the_demo_shows_entities_parameters_and_an_outage_without_an_old_value(replicas: Replicas) -> None:
    [replica] = replicas()
    shown = run_aside("demo", "--url", replica.url)
    assert shown.exit_code == 0, shown.stdout + shown.stderr
    assert "more than its schema allows" in shown.stdout
    assert re.search(r"reads of 200 parameters.* hit ratio \d", shown.stdout)
    assert "fwd=bypass; detail=cache-unreachable" in shown.stdout
    assert re.search(r"A reader asked [\d,]+ times meanwhile: 0 failures, 0 old values", shown.stdout)


def test_the_demo_says_so_where_no_service_answers() -> None:
    shown = run_aside("demo", "--no-outage", "--url", "http://127.0.0.1:1")
    assert shown.exit_code == 1
    assert "No service answers" in shown.stdout
