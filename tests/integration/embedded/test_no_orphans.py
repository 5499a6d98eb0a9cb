"""Whatever becomes of the process that started them, no server is left: not after SIGKILL, nor as another user."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.embedded import private_valkey
from service.embedded.discovery import find_postgres, find_valkey
from tests.support.ends import ended_within

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).parent / "programs" / "run_private.py"


@contextmanager
def servers_of_another_process(prefix=(), python=sys.executable, **environment):
    process = subprocess.Popen(
        [*prefix, python, PROGRAM],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def pids_in(report):
    return [*report["postgres"], report["valkey"]]


def test_an_orderly_end_leaves_no_process_and_no_folder():
    with servers_of_another_process() as (process, report):
        process.stdin.close()
        assert process.wait(20) == 0
        assert ended_within(pids_in(report), timeout_seconds=0)
        assert not Path(report["folder"]).exists()


def test_the_servers_of_a_killed_process_end_with_all_their_children():
    with servers_of_another_process() as (process, report):
        assert len(report["postgres"]) > 3
        process.kill()
        assert ended_within(pids_in(report))


def test_the_paused_servers_of_a_killed_process_end_too():
    with servers_of_another_process() as (process, _):
        process.stdin.write("pause\n")
        process.stdin.flush()
        paused = json.loads(process.stdout.readline())
        process.kill()
        assert ended_within(pids_in(paused))


def test_the_folder_of_a_killed_process_is_removed_by_the_next_one():
    with servers_of_another_process() as (process, report):
        process.kill()
        process.wait()
        assert ended_within(pids_in(report))
        with private_valkey():
            assert not Path(report["folder"]).exists()


def test_a_ctrl_c_reaches_no_server_directly():
    with servers_of_another_process() as (process, report):
        ours = os.getsid(process.pid)
        assert {os.getsid(pid) for pid in pids_in(report)}.isdisjoint({ours})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user; what this shows is shown by every test")
@pytest.mark.parametrize(
    "number", [pytest.param(65534, id="nobody"), pytest.param(23456, id="a number without a name")]
)
def test_a_plain_user_can_run_them(number):
    user = ["setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups", "--"]
    with servers_of_another_process(
        user,
        python_for(user),
        PG_BIN=str(find_postgres().postgres.parent),
        REDIS_BIN=str(find_valkey()),
    ) as (process, report):
        assert {Path(f"/proc/{pid}").stat().st_uid for pid in report["postgres"]} == {number}
        process.kill()
        assert ended_within(pids_in(report))


def python_for(user):
    """An interpreter that this user may run: ours may lie in a closed home. The servers need no package."""
    # It must be able to run itself: setpriv opens the first program while it still has root's rights.
    probe = "import subprocess, sys; open(sys.argv[1]).close(); subprocess.run([sys.executable, '-c', ''], check=True)"
    for python in (sys.executable, "/usr/bin/python3"):
        tried = subprocess.run([*user, python, "-c", probe, PROGRAM], capture_output=True, check=False, cwd="/")
        if tried.returncode == 0:
            return python
    pytest.skip("this machine has no Python that a plain user may run")
