"""`dev`, which is `make run`: everything starts, says where it is, and ends with it."""

import re
import signal
from pathlib import Path

import pytest

from service.embedded.processes import processes_in
from tests.support.ends import ended_within
from tests.support.service_process import ServiceProcess


@pytest.fixture
def dev(tmp_path):
    """Runs `dev` in a folder of its own; whatever is left at the end is killed."""
    started = []

    def run(*arguments, **environment):
        folder = tmp_path / ".local"
        process = ServiceProcess(
            tmp_path / f"dev-{len(started)}.log", environment, arguments=("dev", "--folder", str(folder), *arguments)
        )
        started.append(process)
        return process.launch()

    yield run
    for process in started:
        process.kill()


def servers_in(folder: Path) -> set[int]:
    postmaster = int((folder / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])
    return {postmaster, *processes_in(folder / "postgres" / "data"), *processes_in(folder / "valkey")}


@pytest.mark.parametrize(
    ("workers", "number"), [("1", signal.SIGINT), ("2", signal.SIGTERM)], ids=["Ctrl-C", "SIGTERM, two workers"]
)
def test_a_signal_ends_the_service_and_then_its_servers_with_exit_code_0(dev, tmp_path, workers, number):
    process = dev(ASIDE_WORKERS=workers).wait_until_live()
    servers = servers_in(tmp_path / ".local")
    assert len(servers) > 2
    code = process.interrupt() if number == signal.SIGINT else process.terminate()
    assert code == 0, process.log
    assert ended_within(servers, timeout_seconds=0)
    assert "Traceback" not in process.log
    postgres_log = (tmp_path / ".local" / "postgres" / "postgresql.log").read_text()
    assert "received fast shutdown request" in postgres_log


def test_the_banner_says_where_everything_is(dev, tmp_path):
    process = dev().wait_until_live()
    process.terminate()
    for part in (process.url, f"{process.url}/docs", f"{process.url}/metrics", "psql 'postgresql://", str(tmp_path)):
        assert part in process.log
    assert re.search(r"Ready after \d+\.\d s", process.log)


def test_a_sigkill_leaves_no_server(dev, tmp_path):
    process = dev().wait_until_live()
    servers = servers_in(tmp_path / ".local")
    process.kill_first_process()
    assert ended_within(servers)


def test_a_second_run_is_refused_with_exit_code_1_and_the_first_goes_on(dev):
    first = dev().wait_until_live()
    second = dev()
    assert second.wait() == 1
    assert "runs already" in second.log
    assert "Traceback" not in second.log
    first.wait_until_live()


def test_given_urls_are_used_and_nothing_is_started(dev, tmp_path, database_url, redis_url):
    process = dev(DATABASE_URL=database_url, REDIS_URL=redis_url).wait_until_live()
    assert not (tmp_path / ".local").exists()
    assert process.terminate() == 0
    assert "given by DATABASE_URL" in process.log


def test_the_option_wins_over_the_variable(dev):
    process = dev("--host", "localhost", ASIDE_HOST="192.0.2.1")
    process.host = "localhost"
    assert process.wait_until_live().terminate() == 0
