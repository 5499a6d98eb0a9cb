"""Runs the application under uvicorn, in this process or in several, until a signal says stop."""

from __future__ import annotations

import errno
import gc
import multiprocessing
import os
import resource
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.supervisors import Multiprocess

from service.cli.connection_limits import ConnectionLimits
from service.cli.protocol import HotProtocol
from service.cli.refusals import BAD_SETTING, refuse
from service.embedded.processes import die_with_parent
from service.exposure import exposure_faults
from service.logs import configure_logging
from service.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

READY_SECONDS = 60.0
_HEADERS = [("X-Content-Type-Options", "nosniff")]
"""Of every answer: rendered once a second, together with the date."""
_OTHER_DESCRIPTORS = 500
"""Half a thousand is more than the widest pools of both servers together."""


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Inside, SIGINT and SIGTERM end the block in order, and the process goes on after it."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (the signature is Python's)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def listening(settings: Settings) -> Iterator[list[socket.socket]]:
    """Take the port, and that of operators where there is one: before anything else is started.

    Refuses with a text where a port cannot be had, or where it would not be safe to listen.
    """
    faults = exposure_faults(settings)
    if faults:
        refuse("\n       ".join(["it is not safe to listen so:", *faults]), exit_code=BAD_SETTING)
    with ExitStack() as stack:
        listeners = [stack.enter_context(_bind(settings.host, settings.port, "PORT"))]
        if settings.admin_port is not None:
            listeners.append(stack.enter_context(_bind(settings.admin_host, settings.admin_port, "ADMIN_PORT")))
        yield listeners


def _bind(host: str, port: int, name: str) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            run = f", or make run PORT={port + 1}" if name == "PORT" else ""
            refuse(
                f"port {port} on {host} is taken by another program. Choose another one: ASIDE_{name}={port + 1}{run}"
            )
        refuse(f"cannot listen on {host} port {port}: {error.strerror or error}")
    listener.set_inheritable(True)
    return listener


def serve(settings: Settings, listeners: list[socket.socket], *, on_ready: Callable[[], None] = lambda: None) -> None:
    """Serve until a signal ends it. ``on_ready`` is called once, when every worker accepts connections.

    Raises SystemExit where the application cannot start.
    """
    _allow_many_connections()
    config = uvicorn.Config(
        "service.cli.serving:create_worker",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http=partial(HotProtocol, limits=_connection_limits(settings)),  # type: ignore[arg-type]  # it makes one
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=max(1, round(settings.keep_alive_seconds)),
        headers=_HEADERS,
        timeout_graceful_shutdown=max(1, round(settings.shutdown_grace_seconds)),
    )
    if settings.workers == 1:
        _Server(config, on_ready).run(listeners)
        return
    with _shared_metrics():
        workers = _Workers(config, listeners, on_ready)
        workers.run()
        if workers.failed:
            raise SystemExit(uvicorn.config.STARTUP_FAILURE)


def _allow_many_connections() -> None:
    """Each client takes a file descriptor, and 1,024 are what a process often begins with."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # e.g. macOS says "unlimited" and means less
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _connection_limits(settings: Settings) -> ConnectionLimits:
    """Where few files may be opened, some stay for what is no client: PostgreSQL, Redis, what is above the limit."""
    limits, (descriptors, _) = settings.limits, resource.getrlimit(resource.RLIMIT_NOFILE)
    return ConnectionLimits(
        connections=min(limits.connections, max(descriptors // 2, descriptors - _OTHER_DESCRIPTORS)),
        head_bytes=limits.head_bytes,
        header_count=limits.header_count,
        body_bytes=limits.body_bytes,
        idle_seconds=settings.keep_alive_seconds,
        head_seconds=limits.head_seconds,
        body_seconds=limits.body_seconds,
        unread_seconds=limits.unread_seconds,
    )


def create_worker() -> FastAPI:
    """The application; in a worker's process it ends with its supervisor, even if that one is killed."""
    if multiprocessing.parent_process() is not None:
        die_with_parent(signal.SIGTERM)
    gc.disable()  # until all is open: what is imported stays
    from service.app import create_app  # noqa: PLC0415 (prometheus_client looks for its folder when imported)

    settings = Settings()
    configure_logging(settings.log_level, settings.log_format)
    return create_app(settings, on_open=spare_the_collector)


def spare_the_collector() -> None:
    """Python's cycle collector, for a process that now only answers requests.

    What is there at the start stays to the end: it is not looked through again. And a few dozen requests under way
    are more objects than the 700 at which Python would look for garbage: measured, 1,450 collections in
    80,000 hits found 4,900 objects, and took about a tenth of the time.
    """
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()


class _Workers(Multiprocess):
    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], on_ready: Callable[[], None]) -> None:
        super().__init__(config, sockets)
        self._on_ready = on_ready

    @property
    def failed(self) -> bool:
        return any(process.exitcode == uvicorn.config.STARTUP_FAILURE for process in self.processes)

    def init_processes(self) -> None:
        super().init_processes()
        deadline = time.monotonic() + READY_SECONDS
        waiting = list(self.processes)
        while waiting and not self.signal_queue and time.monotonic() < deadline:
            if any(process.exitcode is not None for process in waiting):
                return
            waiting = [process for process in waiting if not process.wait_until_ready(timeout=0.1)]
        if not waiting:
            self._on_ready()


@contextmanager
def _shared_metrics() -> Iterator[None]:
    """Where the workers put their counters, so that each of them can show the sum. Empty at each start."""
    with tempfile.TemporaryDirectory(prefix="aside-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        try:
            yield
        finally:
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]
