"""Runs Schemathesis as anybody would, and reads its own report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.service_process import ROOT
from tests.truth.beyond import BUSY
from tests.truth.stage import Asked
from tests.truth.variables import EXCUSED_VARIABLE, KEY_VARIABLE

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
_NOTHING_TO_SEND = "No examples in schema"
"""In the phase of examples alone: neither parameters nor a body, so the schema has none."""
PHASES = ("examples", "coverage", "fuzzing", "stateful")


@dataclass(frozen=True, slots=True)
class Verdict:
    """``report`` is Schemathesis's own; ``excused`` is what no document could say, and how often it came up."""

    report: Mapping[str, Any]
    excused: Mapping[str, int]
    output: str

    @property
    def is_clean(self) -> bool:
        """Whether it asked all that it was to ask, and found nothing, on a machine that had time for it."""
        operations = self.report["operations"]
        skipped = operations["skipped"] if set(operations["skip_reasons"]) <= {_NOTHING_TO_SEND} else 0
        is_whole = self.report["complete"] and operations["tested"] + skipped == operations["selected"]
        had_time = self.excused.get(BUSY, 0) <= max(3, self.report["test_cases"]["generated"] / 100)
        return bool(is_whole and had_time) and self.report["exit_code"] == 0


def hold(asked: Asked, folder: Path, *, examples: int, seed: int, phases: tuple[str, ...] = PHASES) -> Verdict:
    """Hold the service's document against the service. ``examples``: of each operation, and of sequences of them."""
    report, excused = folder / "report.json", folder / "excused.json"
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--no-color", "--config-file", CONFIGURATION, "run"),
        *(f"{asked.service.url}/openapi.json", "--phases", ",".join(phases)),
        *("--max-examples", str(examples), "--seed", str(seed)),
        *("--report", "json", "--report-json-path", report),
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        KEY_VARIABLE: asked.key,
        EXCUSED_VARIABLE: str(excused),
    }
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert report.exists(), ran.stdout + ran.stderr
    assert report.stat().st_size, ran.stdout + ran.stderr
    return Verdict(json.loads(report.read_text()), json.loads(excused.read_text()), ran.stdout + ran.stderr)
