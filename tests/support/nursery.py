"""Processes of `python -m service` that begin with everything imported: forked, where Python would be started anew.

Importing is nearly all that a command or a replica does at first, and the tests begin hundreds of them. What follows is
the same: `service.__main__`, in a process of its own, with the arguments, variables and streams that it is given. What
is about starting itself, and every campaign that is timed, starts Python anew (`Launch`).

    the tests ── Nursery.fork ── socket ──▶ the nursery (`python -m tests.support.nursery`), one for each test process
        ▲                                       └─ fork ─▶ a child, which becomes `python -m service …`
        └──── its exit code, when it ends ──────┘
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import runpy
import secrets
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from service.embedded.private import private_folder
from service.embedded.processes import Launch, spawn

ROOT = Path(__file__).parents[2]
_NOT_IMPORTED = ("service.__main__", "service.warming_process", "service.embedded.launcher")
_PR_SET_PDEATHSIG: Final = 1
_MOST_BYTES: Final = 1 << 20
_IMPORT_SECONDS: Final = 60.0
_FIRST_OTHER_DESCRIPTOR: Final = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a child shall be."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: str

    @property
    def as_json(self) -> bytes:
        said = {"arguments": self.arguments, "environment": dict(self.environment), "folder": self.folder}
        return json.dumps(said).encode()


class Forked:
    """A process like those of `subprocess.Popen`, with what the tests use of it. Calls come from any thread."""

    def __init__(self, pid: int, word: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._word = word
        self._guard = threading.Lock()
        word.settimeout(0)
        weakref.finalize(self, word.close)

    def poll(self) -> int | None:
        return self._heard(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """Raises TimeoutError."""
        code = self._heard(timeout)
        if code is None:
            raise TimeoutError(f"process {self.pid} goes on")
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _heard(self, timeout: float | None) -> int | None:
        """The exit code, if it is told within so many seconds. Who waits keeps nobody else from asking."""
        if self.returncode is None:
            asked = select.poll()
            asked.register(self._word, select.POLLIN)
            asked.poll(None if timeout is None else timeout * 1000)
            with self._guard:
                if self.returncode is None:
                    with suppress(BlockingIOError):
                        said = self._word.recv(64)
                        assert said, "the nursery is gone"
                        self.returncode = int(said)
        return self.returncode


class Nursery:
    """The tests' side. ``name`` is the socket's, of those that have no file."""

    def __init__(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self._address = f"\0{name}"
        self._process = process

    def fork(self, wanted: Wanted, *, stdout: int, stderr: int) -> Forked:
        """With nothing to read, and these two to write to. It leads a session of its own."""
        word = self._connected()
        with Path(os.devnull).open("rb") as nothing:
            socket.send_fds(word, [wanted.as_json], [nothing.fileno(), stdout, stderr])
        return Forked(int(word.recv(64)), word)

    def _connected(self) -> socket.socket:
        """Waits for it at first: it imports everything before it listens."""
        deadline = time.monotonic() + _IMPORT_SECONDS
        while True:
            word = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                word.connect(self._address)
            except ConnectionRefusedError:
                word.close()
                assert self._process.poll() is None, "the nursery has ended"
                assert time.monotonic() < deadline, "the nursery does not open"
                time.sleep(0.02)
            else:
                return word


_guard = threading.Lock()
_nursery: Nursery | None = None


def nursery() -> Nursery:
    """Of this process, with which it ends. Opened by who first asks for it."""
    global _nursery  # noqa: PLW0603 (one for the process)
    with _guard:
        if _nursery is None:
            folder = ExitStack()
            log = folder.enter_context(private_folder()) / "nursery.log"
            atexit.register(folder.close)
            name = f"aside-nursery-{os.getpid()}-{secrets.token_hex(4)}"
            argv = [sys.executable, "-m", __name__, name]
            process = spawn(Launch(argv=argv, log=log, environment={**os.environ, "PYTHONPATH": str(ROOT)}))
            _nursery = Nursery(name, process)
        return _nursery


class _Children:
    """The nursery's side: forks, and tells of ends. In a child, `serve` returns."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._words: dict[int, socket.socket] = {}
        ended, self._wakes = socket.socketpair()
        self._ended = ended
        for each in (ended, self._wakes):
            each.settimeout(0)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)

    def serve(self) -> tuple[Wanted, list[int]]:
        with selectors.DefaultSelector() as selector:
            for each in (self._listener, self._ended):
                selector.register(each, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._ended in ready:
                    with suppress(BlockingIOError):
                        self._ended.recv(4_096)
                    self._tell()
                if self._listener in ready and (child := self._take()) is not None:
                    return child

    def _take(self) -> tuple[Wanted, list[int]] | None:
        """None in the nursery itself."""
        word, _ = self._listener.accept()
        said, streams, _, _ = socket.recv_fds(word, _MOST_BYTES, 3)
        if not said:
            word.close()
            return None
        pid = os.fork()
        if pid == 0:
            return Wanted(**json.loads(said)), streams
        for stream in streams:
            os.close(stream)
        self._words[pid] = word
        word.send(str(pid).encode())
        return None

    def _tell(self) -> None:
        for pid in list(self._words):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                with self._words.pop(pid) as word, suppress(OSError):
                    word.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(wanted: Wanted, streams: Sequence[int]) -> None:
    """What a process is like that Python was started in."""
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(_FIRST_OTHER_DESCRIPTOR, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(wanted.environment)
    time.tzset()
    os.chdir(wanted.folder)
    sys.argv = ["service", *wanted.arguments]
    sys.stdin, sys.stdout, sys.stderr = _text(0, "r"), _text(1, "w"), _text(2, "w", errors="backslashreplace")


def _text(descriptor: int, mode: str, **more: Any) -> Any:
    return os.fdopen(descriptor, mode, encoding="utf-8", buffering=1, closefd=False, **more)


def _import_all() -> None:
    import service

    for found in pkgutil.walk_packages(service.__path__, "service."):
        if not found.name.startswith(_NOT_IMPORTED):
            importlib.import_module(found.name)
    for name in ("uvloop", "httptools", "uvicorn.protocols.http.httptools_impl", "uvicorn.lifespan.on"):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def main(name: str) -> None:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(f"\0{name}")
    _import_all()
    listener.listen(64)
    wanted, streams = _Children(listener).serve()
    listener.close()
    _become(wanted, streams)
    runpy.run_module("service", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
