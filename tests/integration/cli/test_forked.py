"""Commands that tests fork are like those for which Python is started anew: their words, their ends, their streams."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import Replicas
from tests.support.aside_command import run_aside
from tests.support.service_process import OURS


@pytest.mark.parametrize(
    "arguments", [("--help",), ("keys", "create"), ("warm", "--rate", "x"), ("explain", "a", "b")], ids=" ".join
)
def test_a_forked_command_says_what_python_started_anew_says(arguments: tuple[str, ...]) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    variables = {"DATABASE_URL": "postgresql://127.0.0.1:1/none", "ASIDE_URL": "http://127.0.0.1:1", "COLUMNS": "200"}
    anew = subprocess.run(
        [sys.executable, "-m", "service", *arguments], env={**inherited, **variables}, capture_output=True, check=False
    )
    forked = run_aside(*arguments, **variables)
    assert forked.exit_code == anew.returncode
    assert (forked.stdout, forked.stderr) == (anew.stdout.decode(), anew.stderr.decode())


def test_a_forked_replica_has_nothing_open_of_the_tests_and_its_end_is_told(replicas: Replicas) -> None:
    [replica] = replicas()
    opened = []
    for entry in Path(f"/proc/{replica.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since
            opened.append(str(entry.readlink()))
    assert opened.count(str(replica.log_file)) == 2, "what it says, and what it complains of"
    assert os.getsid(replica.pid) == replica.pid
    replica.kill_first_process()
    assert replica.exit_code == -9
