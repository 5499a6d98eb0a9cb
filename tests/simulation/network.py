"""Connections: each direction is first in, first out; between connections anything may overtake anything.

A connection may break before a request arrives, or after it was carried out and before the reply, or for the client
only, and the request arrives all the same; a cut link holds what is sent until it heals, or swallows it. What a client
sent before it closed still arrives, however late.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from tests.simulation.loop import Loop
from tests.simulation.simulator import Simulator


class Server(Protocol):
    """The far end of connections."""

    is_up: bool

    def accept(self, channel: Channel) -> None: ...

    def handle(self, channel: Channel, request: Any) -> None:
        """A request has arrived: reply on the channel, now or later."""

    def hang_up(self, channel: Channel) -> None:
        """The client is gone."""


class Slow(NamedTuple):
    """Some messages of one kind take up to ``seconds``, or break their connection."""

    chance: float
    seconds: float = 0.0
    breaks: bool = False


@dataclass(slots=True)
class Weather:
    """How the network is in one run. Seconds, and chances per message."""

    delay: float
    slow_chance: float = 0.0
    slow_delay: float = 0.0
    reset_chance: float = 0.0
    victim: bytes | str | None = None
    """A command, a script or a statement: its requests, or the replies to it, are slow half of the time."""
    victim_delay: float = 0.0
    victim_replies: bool = False
    slow: dict[tuple[Hashable, bool], Slow] = field(default_factory=dict)
    """By command, script or statement, and whether it is the reply: what a directed theme makes slow."""
    strays: dict[Hashable, Slow] = field(default_factory=dict)
    """By command, script or statement: its connection breaks for the client at once, yet it arrives, so much later."""


class Link:
    """From one process to one service."""

    __slots__ = ("channels", "cut_until", "loop", "name", "simulator", "swallows", "weather")

    def __init__(self, simulator: Simulator, loop: Loop, weather: Weather, name: str) -> None:
        self.simulator = simulator
        self.loop = loop
        self.weather = weather
        self.name = name
        self.cut_until = 0.0
        self.swallows = False
        self.channels: list[Channel] = []

    def cut(self, seconds: float, *, swallows: bool) -> None:
        self.cut_until = max(self.cut_until, self.simulator.now + seconds)
        self.swallows = swallows
        self.simulator.at(self.cut_until, self._heal)

    def _heal(self) -> None:
        for channel in self.channels:
            if channel.is_stalled:
                channel.drop()

    def delay(self, verb: object = None, *, is_reply: bool = False) -> float:
        """Seconds; negative: the connection breaks; infinite: it stalls."""
        simulator, weather = self.simulator, self.weather
        chance = simulator.rng.random()
        delay = chance * weather.delay
        if verb is not None and verb == weather.victim and is_reply is weather.victim_replies and chance < 0.5:
            delay = simulator.rng.random() * weather.victim_delay
        slow = weather.slow.get((verb, is_reply)) if weather.slow and verb is not None else None
        if slow is not None and simulator.rng.random() < slow.chance:
            if slow.breaks:
                return -1.0
            delay = simulator.rng.random() * slow.seconds
        if chance < weather.slow_chance:
            delay = simulator.rng.random() * weather.slow_delay
        elif chance > 1.0 - weather.reset_chance:
            return -1.0
        if simulator.now < self.cut_until:
            if self.swallows:
                return float("inf")
            delay += self.cut_until - simulator.now
        return delay

    def stray(self, verb: object) -> float | None:
        """Seconds until a request arrives whose client has given its connection up; None for the others."""
        stray = self.weather.strays.get(verb) if self.weather.strays else None
        if stray is None or self.simulator.now < self.cut_until or self.simulator.rng.random() >= stray.chance:
            return None
        return self.simulator.rng.random() * stray.seconds


class Channel:
    """One connection, both ends of it."""

    __slots__ = (
        "down_at", "inbox", "is_broken", "is_closed", "is_gone", "is_stalled", "link", "name", "server", "session",
        "up_at", "verb", "waiter",
    )  # fmt: skip

    def __init__(self, link: Link, server: Server, name: str) -> None:
        self.link = link
        self.server = server
        self.name = name
        self.up_at = self.down_at = 0.0
        self.inbox: deque[Any] = deque()
        self.waiter: Any = None
        self.is_broken = False
        """The client knows that it is gone."""
        self.is_closed = False
        """The client has closed it."""
        self.is_gone = False
        """The server knows nothing of it any more."""
        self.is_stalled = False
        self.session: Any = None
        self.verb: Any = None
        link.channels.append(self)

    # -- the client's end ----------------------------------------------------------------------------------------

    def send(self, request: Any) -> None:
        simulator = self.link.simulator
        if self.is_broken or self.is_stalled or self.link.loop.is_dead:
            return
        first = request[0]
        self.verb = request[1] if first == "EVALSHA" or first.__class__ is int else first
        late = self.link.stray(self.verb)
        delay = self.link.delay(self.verb) if late is None else late
        if simulator.trace is not None:
            fate = _fate(delay) if late is None else f"{_fate(delay)}, and the client thinks that it is lost"
            simulator.note(self.link.name, f"{self.name} sends {_brief(request)}{fate}")
        if delay < 0:
            self.drop()
        elif delay == float("inf"):
            self.is_stalled = True
        else:
            self.up_at = max(self.up_at, simulator.now + delay)
            simulator.at(self.up_at, self._arrive, request)
        if late is not None:
            self._break_for_client()

    def close(self) -> None:
        """What was sent before still arrives."""
        if self.is_closed:
            return
        self.is_closed = True
        link = self.link
        if self.is_stalled or self.is_gone:
            return  # a server learns of a client behind a cut link when it heals
        delay = link.delay()
        self.up_at = max(self.up_at, link.simulator.now + (delay if 0 <= delay < 60 else link.weather.delay))
        link.simulator.at(self.up_at, self._leave)

    # -- the server's end ----------------------------------------------------------------------------------------

    def reply(self, item: Any) -> None:
        if self.is_gone or self.is_stalled:
            return
        link = self.link
        delay = link.delay(self.verb, is_reply=True)
        if link.simulator.trace is not None:
            link.simulator.note(_server_name(self.server), f"answers {self.name} {_brief(item)}{_fate(delay)}")
        if delay < 0:
            self.drop()
        elif delay == float("inf"):
            self.is_stalled = True
        else:
            self.down_at = max(self.down_at, link.simulator.now + delay)
            link.simulator.arrival(self.down_at, link.loop, self._deliver, item)

    def drop(self) -> None:
        """The connection is gone: the server forgets it now, the client learns of it."""
        if not self.is_gone:
            self.is_gone = True
            self.server.hang_up(self)
        self._break_for_client()

    def _break_for_client(self) -> None:
        link = self.link
        delay = link.simulator.rng.random() * link.weather.delay
        self.down_at = max(self.down_at, link.simulator.now + delay)
        link.simulator.arrival(self.down_at, link.loop, self._break)

    # -- events --------------------------------------------------------------------------------------------------

    def _arrive(self, request: Any) -> None:
        if not self.is_gone:
            self.server.handle(self, request)

    def _leave(self) -> None:
        if not self.is_gone:
            self.is_gone = True
            self.server.hang_up(self)

    def _deliver(self, item: Any) -> None:
        if not self.is_closed and not self.is_broken:
            self.inbox.append(item)
            self._wake()

    def _break(self) -> None:
        if not self.is_broken:
            self.is_broken = True
            self._wake()

    def _wake(self) -> None:
        waiter, self.waiter = self.waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


async def open_channel(link: Link, server: Server, name: str) -> Channel | None:
    """One round trip; None where nobody listens."""
    channel = Channel(link, server, name)
    waiter = channel.waiter = link.loop.create_future()
    simulator = link.simulator
    delay = link.delay()
    if delay == float("inf"):
        channel.is_stalled = True
    elif delay >= 0:
        simulator.arrival(simulator.now + 2 * delay, link.loop, _connected, channel)
    else:
        channel.drop()
    try:
        await waiter
    except BaseException:
        channel.close()
        raise
    return None if channel.is_broken else channel


def _connected(channel: Channel) -> None:
    """At the client. Its host's kernel knew before; so did the server's."""
    if channel.is_closed or channel.is_broken:
        return
    if channel.server.is_up:
        channel.server.accept(channel)
    else:
        channel.is_broken = True
    channel._wake()


def _server_name(server: Server) -> str:
    return str(getattr(server, "name", "server"))


def _brief(item: Any) -> str:
    text = str(item)
    return text if len(text) < 300 else f"{text[:300]}…"


def _fate(delay: float) -> str:
    if delay < 0:
        return "   -> the connection breaks"
    return "   -> swallowed" if delay == float("inf") else f"   +{delay * 1000:.2f} ms"
