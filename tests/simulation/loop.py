"""One event loop per simulated process. Small and fast: what asyncio asks of a loop, and nothing else.

Callbacks of one loop run first in, first out, as asyncio promises. Time is the simulation's plus the host's offset.
"""

from __future__ import annotations

import asyncio
from asyncio.events import _set_running_loop
from collections import deque
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulation.simulator import Simulator

NEVER = 1 << 60


class Handle:
    """A callback that can be cancelled. ``loop`` None: it belongs to no process, but to the world around them."""

    __slots__ = ("args", "callback", "is_timer", "loop")

    def __init__(self, callback: Callable[..., object], args: tuple[Any, ...], loop: Loop | None) -> None:
        self.callback: Callable[..., object] | None = callback
        self.args = args
        self.loop = loop
        self.is_timer = False

    def cancel(self) -> None:
        self.callback = None
        self.args = ()

    def cancelled(self) -> bool:
        return self.callback is None


class Loop(asyncio.AbstractEventLoop):
    """``offset`` (seconds) is what this host's monotonic clock is ahead of the simulation's, ``wall`` its other clock.

    ``fuse``: after so many more callbacks ``on_fuse`` is called, wherever the process is just then: to kill or to
    pause it half-way through something.
    """

    def __init__(self, simulator: Simulator, name: str, *, offset: float, wall: float) -> None:
        self.simulator = simulator
        self.name = name
        self.offset = offset
        self.wall = wall
        self.ready: deque[Handle] = deque()
        self.is_queued = False
        self.is_paused = False
        self.is_dead = False
        self.fuse = NEVER
        self.on_fuse: Callable[[], None] = lambda: None
        self.tasks: list[asyncio.Task[Any]] = []

    # -- what asyncio asks for -----------------------------------------------------------------------------------

    def time(self) -> float:
        return self.simulator.now + self.offset

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Any = None) -> Handle:  # type: ignore[override]
        handle = Handle(callback, args, self)
        if not self.is_dead:
            self.ready.append(handle)
            if not self.is_queued:
                self.is_queued = True
                if not self.is_paused:
                    self.simulator.runnable.append(self)
        return handle

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any, context: Any = None) -> Handle:  # type: ignore[override]
        return self.simulator.timer(self.simulator.now + delay, self, callback, args)

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: Any = None) -> Handle:  # type: ignore[override]
        return self.simulator.timer(when - self.offset, self, callback, args)

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, work: Coroutine[Any, Any, Any], **_: Any) -> asyncio.Task[Any]:  # type: ignore[override]
        task = asyncio.Task(work, loop=self)
        self.tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self.is_dead:
            self.simulator.complain(f"{self.name}: {context.get('message')}: {context.get('exception')!r}")

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return self.is_dead

    # -- what the scheduler does with it --------------------------------------------------------------------------

    def fire(self, handle: Handle) -> None:
        """A timer is due, or something came in from the network."""
        if not self.is_dead:
            self.ready.append(handle)
            if not self.is_queued:
                self.is_queued = True
                if not self.is_paused:
                    self.simulator.runnable.append(self)

    def run_ready(self) -> None:
        """Everything that is ready, until it waits."""
        _set_running_loop(self)
        self.simulator.host.loop = self
        ready = self.ready
        while ready:
            self.fuse -= 1
            if self.fuse < 0:
                self.fuse = NEVER
                self.on_fuse()
                if self.is_paused or self.is_dead:
                    return
            handle = ready.popleft()
            if handle.callback is not None:
                handle.callback(*handle.args)
        self.is_queued = False

    def pause(self) -> None:
        """SIGSTOP: the process stands still; the world goes on."""
        self.is_paused = True
        if self.is_queued and self in self.simulator.runnable:
            self.simulator.runnable.remove(self)

    def resume(self) -> None:
        """SIGCONT. What came in meanwhile is looked at before the timers that are due, as by `select`."""
        if not self.is_paused or self.is_dead:
            return
        self.is_paused = False
        arrived = [handle for handle in self.ready if not handle.is_timer]
        self.ready = deque(arrived + [handle for handle in self.ready if handle.is_timer])
        self.is_queued = bool(self.ready)
        if self.ready:
            self.simulator.runnable.append(self)

    def die(self) -> None:
        """SIGKILL: nothing of this process runs any more, not even what should finally be done."""
        self.is_dead = True
        self.ready.clear()
        if self in self.simulator.runnable:
            self.simulator.runnable.remove(self)
