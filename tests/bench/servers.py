"""HTTP servers to be measured: started on a free port, moved to their core, ended in any case."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from service.embedded import free_port
from service.embedded.processes import Launch, spawn
from tests.bench.contestants import App
from tests.bench.cores import Cores, pin

PEERS = Path(__file__).with_name("peers")
PEERS_PYTHON = Path(__file__).parents[2] / ".venv-bench" / "bin" / "python"
START_SECONDS = 20.0
_HAPROXY = """
defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 30s
listen door
    bind 127.0.0.1:{port}
    balance leastconn
    http-reuse always
{replicas}"""


class Serving(NamedTuple):
    url: str
    pid: int


class MissingError(Exception):
    """A contestant that cannot be had, or does not work. The report and the console say so."""


@contextmanager
def running(argv: Sequence[str | Path], *, port: int, log: Path, cores: frozenset[int],
            environment: Mapping[str, str] | None = None) -> Iterator[Serving]:  # fmt: skip
    """A server that answers HTTP on ``port``. Raises MissingError with its log if it never does."""
    process = spawn(Launch(argv=argv, log=log, environment=environment))
    try:
        _wait(process, port, log)
        pin(process.pid, cores)
        yield Serving(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise MissingError(f"it does not answer. Its log ends: …{log.read_text(errors='replace')[-500:].strip()}")
        time.sleep(0.02)


def _answers(port: int) -> bool:
    """Whatever it answers: who has no such path says so."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/v1/entities/item/1")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


@contextmanager
def uvicorn(app: App, *, folder: Path, cores: Cores, environment: Mapping[str, str]) -> Iterator[Serving]:
    """One process, uvloop, httptools. Cache libraries run in the peers' own environment, all else in ours."""
    python = Path(sys.executable) if app.package is None else PEERS_PYTHON
    if not python.exists():
        raise MissingError("its environment is not there: `make bench` makes it (.venv-bench)")
    port = free_port()
    argv = [
        python, "-m", "uvicorn", "--app-dir", PEERS, f"{app.module}:app", "--host", "127.0.0.1", "--port", str(port),
        "--loop", "uvloop", "--http", "httptools", "--ws", "none", "--no-access-log", "--log-level", "error",
        "--no-server-header",
    ]  # fmt: skip
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    given = {**inherited, **environment, **app.environment, "PYTHONDONTWRITEBYTECODE": "1"}
    name = "-".join([app.module, *app.environment.values()])
    with running(argv, port=port, log=folder / f"{name}.log", cores=cores.server, environment=given) as server:
        yield server


@contextmanager
def webdis(redis_port: int, *, folder: Path, cores: Cores) -> Iterator[Serving]:
    """Raises MissingError where it is not installed."""
    program = shutil.which("webdis")
    if program is None:
        raise MissingError("it is not installed (Debian, Ubuntu: apt-get install webdis)")
    port, configuration = free_port(), folder / "webdis.json"
    settings = {
        "redis_host": "127.0.0.1", "redis_port": redis_port, "http_host": "127.0.0.1", "http_port": port,
        "threads": 1, "pool_size": 20, "daemonize": False, "database": 0, "verbosity": 0,
        "logfile": str(folder / "webdis-own.log"),
    }  # fmt: skip
    configuration.write_text(json.dumps(settings))
    with running([program, configuration], port=port, log=folder / "webdis.log", cores=cores.server) as server:
        yield server


@contextmanager
def haproxy(ports: Sequence[int], *, folder: Path, cores: Cores) -> Iterator[Serving]:
    """A load balancer before these, on any core, with connections kept on both sides. Raises MissingError where it is
    not installed.
    """
    program = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise MissingError("HAProxy is not installed (Debian, Ubuntu: apt-get install haproxy)")
    port, configuration = free_port(), folder / "haproxy.cfg"
    replicas = "".join(f"    server replica-{number} 127.0.0.1:{each}\n" for number, each in enumerate(ports))
    configuration.write_text(_HAPROXY.format(port=port, replicas=replicas))
    with running([program, "-db", "-f", configuration], port=port, log=folder / "haproxy.log", cores=cores.all) as door:
        yield door


def version_of(package: str) -> str:
    """As it is installed for the peers."""
    if not PEERS_PYTHON.exists():
        return "not installed"
    script = f"import importlib.metadata as m; print(m.version({package!r}))"
    answer = subprocess.run([PEERS_PYTHON, "-c", script], capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"
