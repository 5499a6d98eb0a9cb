"""Starting child processes that die with us, and finding the ones that are left. Knows no server."""

from __future__ import annotations

import atexit
import ctypes
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from service.embedded.launcher import PR_SET_PDEATHSIG

LAUNCHER = Path(__file__).with_name("launcher.py")
FREEZE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One program to run: how, and by whom."""

    argv: Sequence[str | Path]
    log: Path
    death_signal: signal.Signals = signal.SIGKILL
    """What the kernel sends it when this process ends."""
    unprivileged: bool = False
    """True for a program that refuses to run as root."""
    owned: Path | None = None
    """The folder that must belong to whoever the program then runs as."""
    stdin: bytes | None = None
    environment: Mapping[str, str] | None = None
    """Instead of ours, less the variables that PostgreSQL's programs would take for options."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Besides."""


class _Spawner:
    """The thread that makes all our children.

    The kernel sends the death signal when the *thread* that forked ends, not the process. A server started from
    `asyncio.to_thread`, or from a test's short-lived thread, would be shot with that thread. So one thread, which ends
    only with the process, does all the forking, whoever asks.
    """

    def __init__(self) -> None:
        self._wanted: Final = queue.SimpleQueue[tuple[Launch, Future[subprocess.Popen[bytes]]]]()
        self.pid = os.getpid()
        threading.Thread(target=self._work, name="aside-spawner", daemon=True).start()

    def spawn(self, launch: Launch) -> subprocess.Popen[bytes]:
        answer: Future[subprocess.Popen[bytes]] = Future()
        self._wanted.put((launch, answer))
        return answer.result()

    def _work(self) -> None:
        while True:
            launch, answer = self._wanted.get()
            try:
                answer.set_result(_popen(launch))
            except OSError as error:
                answer.set_exception(error)


_guard = threading.Lock()
_spawner: _Spawner | None = None


def spawn(launch: Launch) -> subprocess.Popen[bytes]:
    """Start a program, in a session of its own: the terminal's Ctrl-C reaches us only, and we end it in order."""
    global _spawner  # noqa: PLW0603 (one thread for the process, made by the first who needs it)
    with _guard:
        if _spawner is None or _spawner.pid != os.getpid():
            _spawner = _Spawner()
        spawner = _spawner
    return spawner.spawn(launch)


def run(launch: Launch, *, timeout_seconds: float) -> int:
    """Run a program to its end and return its exit code. On a timeout it is killed, and TimeoutExpired raised."""
    process = spawn(launch)
    try:
        process.communicate(launch.stdin, timeout=timeout_seconds)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return process.returncode


def _popen(launch: Launch) -> subprocess.Popen[bytes]:
    order = {
        "parent": os.getpid(),
        "death_signal": int(launch.death_signal),
        "unprivileged": launch.unprivileged,
        "owned": None if launch.owned is None else str(launch.owned),
    }
    inherited = {**{name: value for name, value in os.environ.items() if not name.startswith("PG")}, "LC_ALL": "C"}
    with launch.log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", LAUNCHER, json.dumps(order), *map(str, launch.argv)],
            stdin=subprocess.DEVNULL if launch.stdin is None else subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**(inherited if launch.environment is None else launch.environment), **launch.variables},
            cwd="/",
            start_new_session=True,
        )


def die_with_parent(death_signal: signal.Signals) -> None:
    """Have the kernel send this process a signal when its parent's forking thread ends. Linux only."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:
            os.kill(os.getpid(), death_signal)


class PauseGuard:
    """Sees to it that stopped processes die with us.

    The death signal of a stopped process waits until it is continued, and it is not handed on to its children. While
    something is paused, a shell waits on a pipe that only we hold open; if we vanish, it kills them all.
    """

    def __init__(self, pids: Sequence[int]) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r _; kill -KILL "$@"', "sh", *map(str, pids)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        atexit.register(self.release)

    def release(self) -> None:
        """The processes run again, or are gone: stand down."""
        atexit.unregister(self.release)
        self._shell.kill()
        self._shell.wait()
        if self._shell.stdin is not None:
            self._shell.stdin.close()


def processes_in(folder: Path) -> set[int]:
    """The processes whose working directory is ``folder``: PostgreSQL's, all of them, orphans too. Linux only."""
    wanted = str(folder.resolve())
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str((entry / "cwd").readlink()) == wanted and _state(entry) not in "ZX":
                found.add(int(entry.name))
    return found


def send(number: signal.Signals, pids: set[int]) -> None:
    """Send a signal to processes that may have ended meanwhile."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def freeze(pids: set[int]) -> None:
    """Stop processes, and return when they stand still: SIGSTOP itself takes effect some time after it was sent."""
    send(signal.SIGSTOP, pids)
    deadline = time.monotonic() + FREEZE_SECONDS
    while sys.platform == "linux" and not all(_state(Path(f"/proc/{pid}")) in "TtZX" for pid in pids):
        if time.monotonic() > deadline:
            raise TimeoutError(f"some of the processes {sorted(pids)} could not be stopped")
        time.sleep(0.001)


def _state(entry: Path) -> str:
    """The kernel's letter: T for stopped, Z and X for ended."""
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"
