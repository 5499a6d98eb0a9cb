"""A replica of the service as operators run it: a process of its own, that can be killed, paused and terminated."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from service.embedded import free_port
from service.embedded.processes import Launch, PauseGuard, freeze, spawn
from tests.support.nursery import Forked, Wanted, nursery

ROOT = Path(__file__).parents[2]
OURS = ("ASIDE_", "DATABASE_URL", "REDIS_URL", "PG", "PROMETHEUS_")


class ServiceProcess:
    """`python -m service serve` on a free port of loopback.

    ``environment`` is all that it sees of Aside's variables; ``arguments`` follow the command. It dies with the tests,
    even if those are killed. ``is_forked``: from a process that has imported everything (`nursery`).
    """

    def __init__(
        self, log: Path, environment: Mapping[str, str], *, arguments: tuple[str, ...] = ("serve",),
        is_forked: bool = False,
    ) -> None:  # fmt: skip
        self.log_file = log
        self.host = environment.get("ASIDE_HOST", "127.0.0.1")
        self.port = int(environment.get("ASIDE_PORT") or free_port())
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self._environment = {
            **inherited,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(log.parent),  # a killed replica cannot tidy up
            "ASIDE_PORT": str(self.port),
            **environment,
        }
        self._arguments = arguments
        self._is_forked = is_forked
        self._process: subprocess.Popen[bytes] | Forked | None = None
        self._guard: PauseGuard | None = None

    @property
    def url(self) -> str:
        """Where it listens, with no slash at the end."""
        return f"http://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """Everything it wrote so far, to either stream, starts before a restart included."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def start(self) -> Self:
        """Launch it and wait until it answers."""
        self.launch()
        return self.wait_until_live()

    def launch(self) -> Self:
        """Start the process and return at once."""
        if self._is_forked:
            with self.log_file.open("ab") as log:
                wanted = Wanted(self._arguments, self._environment, "/")
                self._process = nursery().fork(wanted, stdout=log.fileno(), stderr=log.fileno())
            return self
        self._process = spawn(
            Launch(
                argv=[sys.executable, "-m", "service", *self._arguments],
                log=self.log_file,
                environment=self._environment,
            )
        )
        return self

    def wait_until_live(self, timeout_seconds: float = 60.0) -> Self:
        """Wait until `/livez` answers 200; a process that ends first, or never does, fails with its log."""
        deadline = time.monotonic() + timeout_seconds
        while not self._is_live():
            assert self.is_running, f"the service ended with exit code {self.exit_code}:\n{self.log}"
            assert time.monotonic() < deadline, f"the service was not live within {timeout_seconds:g} s:\n{self.log}"
            time.sleep(0.01)
        return self

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative after a signal."""
        return None if self._process is None else self._process.poll()

    def wait(self, timeout_seconds: float = 20.0) -> int:
        """Wait for its end and return the exit code."""
        return self._running().wait(timeout_seconds)

    def terminate(self, timeout_seconds: float = 20.0) -> int:
        """SIGTERM, as an orchestrator sends it, to the first process only; returns the exit code."""
        self.resume()
        self._running().terminate()
        return self.wait(timeout_seconds)

    def interrupt(self, timeout_seconds: float = 20.0) -> int:
        """Ctrl-C: SIGINT to the first process; returns the exit code."""
        self._running().send_signal(signal.SIGINT)
        return self.wait(timeout_seconds)

    def kill(self) -> None:
        """SIGKILL to it and to all its workers."""
        if self._process is not None:
            self._signal_all(signal.SIGKILL)
            self._process.wait()
        self._release_guard()

    def kill_first_process(self) -> None:
        """SIGKILL to the first process only: its workers are on their own."""
        self._running().kill()
        self._running().wait()

    def pause(self) -> None:
        """Stop it and its workers in mid-air."""
        if self._guard is None:
            freeze({self.pid})
            freeze(self._group())
            self._guard = PauseGuard([self.pid, -self.pid])

    def resume(self) -> None:
        """Undo `pause`."""
        if self._guard is not None:
            self._signal_all(signal.SIGCONT)
            self._release_guard()

    def _signal_all(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)  # it leads a session, and so a group, of its own

    def _group(self) -> set[int]:
        found = set()
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(ProcessLookupError):
                if os.getpgid(int(entry.name)) == self.pid:
                    found.add(int(entry.name))
        return found

    def _is_live(self) -> bool:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=2)
        try:
            connection.request("GET", "/livez")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _release_guard(self) -> None:
        if self._guard is not None:
            self._guard.release()
            self._guard = None

    def _running(self) -> subprocess.Popen[bytes] | Forked:
        assert self._process is not None, "the service was not launched"
        return self._process
