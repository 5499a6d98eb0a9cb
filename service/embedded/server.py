"""What PostgreSQL and Valkey have in common: start, wait, stop, kill, pause, resume. All calls block.

Every call may come from any thread, one at a time.
"""

from __future__ import annotations

import signal
import subprocess
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from service.embedded import processes
from service.embedded.errors import ServerStartError
from service.embedded.ports import free_port

POLL_SECONDS = 0.005
LOG_TAIL_BYTES = 3_000


class Server(ABC):
    """A server process of our own, on a loopback port that it keeps for as long as the object lives."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        """``folder`` holds the data and the log, and must exist. The port is chosen where none is given."""
        self.folder = folder.resolve()
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: processes.PauseGuard | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients find it, its password included."""

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name.lower()}.log"

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ServerStartError(f"{self.name} was not started")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """True from launch to end, also while paused."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Launch and wait. Raises ServerStartError with the end of the server's log."""
        self.launch()
        self.wait_until_ready()
        return self

    def launch(self) -> None:
        """Start the process and return at once. Does nothing if it runs already."""
        if not self.is_running:
            self._prepare()
            self._process = processes.spawn(self._launch())

    def wait_until_ready(self, timeout_seconds: float = 20.0) -> None:
        """Wait until it accepts connections. A server that cannot is killed before ServerStartError is raised."""
        deadline = time.monotonic() + timeout_seconds
        while not self._is_ready():
            if not self.is_running:
                raise ServerStartError(f"{self.name} ended while starting. Its log says:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise ServerStartError(
                    f"{self.name} was not ready within {timeout_seconds:g} s. Its log says:\n{self._log_tail()}"
                )
            time.sleep(POLL_SECONDS)

    def stop(self, timeout_seconds: float = 10.0) -> None:
        """End it in order: clients are cut off, data is written. Killed if that takes longer than the timeout."""
        self.request_stop()
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout_seconds)
        self.kill()

    def request_stop(self) -> None:
        """Ask it to end, and return at once."""
        self.resume()
        if self.is_running:
            processes.send(self.stop_signal, {self.pid})

    def kill(self) -> None:
        """End it now, as a power cut would: SIGKILL, to its children also, and nothing is written."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._end_children()
        self._release_guard()

    def pause(self) -> None:
        """Stop it and its children in mid-air (SIGSTOP): connections stay open, nobody answers."""
        if self._guard is None and self.is_running:
            # The parent first: once it stands still there are no new children.
            processes.freeze({self.pid})
            processes.freeze(self._children())
            self._guard = processes.PauseGuard([self.pid, *self._children()])

    def resume(self) -> None:
        """Undo `pause`."""
        if self._guard is not None:
            processes.send(signal.SIGCONT, {self.pid, *self._children()})
            self._release_guard()

    def restart(self) -> None:
        """Stop, and start on the same port with the same data."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @abstractmethod
    def _launch(self) -> processes.Launch: ...

    @abstractmethod
    def _is_ready(self) -> bool: ...

    @abstractmethod
    def _prepare(self) -> None:
        """Whatever has to be on disk before the program runs."""

    @abstractmethod
    def _children(self) -> set[int]:
        """The processes that belong to the server, besides the one that we started."""

    @abstractmethod
    def _end_children(self) -> None:
        """Kill what outlives the first process."""

    def _release_guard(self) -> None:
        if self._guard is not None:
            self._guard.release()
            self._guard = None

    def _log_tail(self) -> str:
        try:
            return self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace").strip()
        except FileNotFoundError:
            return "(no log)"
