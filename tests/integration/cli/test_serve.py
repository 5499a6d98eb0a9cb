"""`serve` as an orchestrator meets it: one process or several, signals, and what is left afterwards."""

import http.client
import os
from pathlib import Path

import pytest

from tests.support.ends import ended_within


def children_of(pid):
    found = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(entry.read_text().rpartition(")")[2].split()[1]) == pid:
                found.add(int(entry.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_termination_ends_every_process_with_exit_code_0(replicas, workers):
    (replica,) = replicas(ASIDE_WORKERS=workers)
    children = children_of(replica.pid)
    assert replica.terminate() == 0, replica.log
    assert ended_within(children)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_ctrl_c_ends_it_with_exit_code_0_and_no_traceback(replicas, workers):
    (replica,) = replicas(ASIDE_WORKERS=workers)
    assert replica.interrupt() == 0, replica.log
    assert "Traceback" not in replica.log


def test_the_workers_of_a_killed_supervisor_end_too(replicas):
    (replica,) = replicas(ASIDE_WORKERS="2")
    children = children_of(replica.pid)
    assert len(children) >= 2
    replica.kill_first_process()
    assert ended_within(children)


def test_several_workers_share_a_folder_of_metrics_that_is_gone_afterwards(replicas, tmp_path):
    (tmp_path / "temporary").mkdir()
    (replica,) = replicas(ASIDE_WORKERS="2", TMPDIR=str(tmp_path / "temporary"))
    assert len(list((tmp_path / "temporary").glob("aside-metrics-*"))) == 1
    replica.terminate()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_no_answer_names_the_server(replicas):
    (replica,) = replicas()
    connection = http.client.HTTPConnection("127.0.0.1", replica.port, timeout=5)
    connection.request("GET", "/livez")
    assert connection.getresponse().getheader("server") is None
    connection.close()


def test_a_paused_replica_is_running_and_answers_after_it_is_resumed(replicas):
    (replica,) = replicas()
    replica.pause()
    connection = http.client.HTTPConnection("127.0.0.1", replica.port, timeout=0.2)
    connection.request("GET", "/livez")
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    assert replica.is_running
    replica.resume()
    replica.wait_until_live()


def test_two_replicas_are_two_processes_on_two_ports(replicas):
    first, second = replicas(2)
    assert first.port != second.port
    assert first.pid != second.pid
    assert os.getpgid(first.pid) != os.getpgid(second.pid)


def test_a_killed_replica_can_be_started_again_on_its_port(replicas):
    (replica,) = replicas()
    replica.kill()
    assert replica.exit_code == -9
    replica.start()
