"""Looks at Redis or Valkey: one connection, nothing written, every look bounded."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from service.cache.keys import HEARTBEAT, WATERMARK, cache_key, refresh_key
from service.cache.lane import connector
from service.doctor.facts import Heartbeat, RedisFacts, Watermark
from service.doctor.looking import Looks, timed_round_trips
from service.settings import Settings

_LOOK_SECONDS = 2.0
ALL_SECONDS = 8.0

_WATERMARK = re.compile(r"\d+\.\d+\|([^|\s]+)\|(\d+:\d+:[\d,]*)")
_ENTRY, _REFRESH = cache_key("doctor"), refresh_key("doctor")
_NEEDED = (
    f"MGET {_ENTRY} {HEARTBEAT}",
    f"SET {_ENTRY} x PX 1",
    f"SET {_REFRESH} x NX PX 1",
    f"SET {HEARTBEAT} x PXAT 1",
    f"SET {WATERMARK} x",
    f"GET {WATERMARK}",
    f"GETRANGE {_ENTRY} 0 255",
    f"UNLINK {_ENTRY} {_REFRESH}",
    f"PTTL {HEARTBEAT}",
    "TIME",
    "INFO server",
    "PING",
    "RANDOMKEY",
    "SCAN 0",
    f"EXISTS {_ENTRY}",
    f"STRLEN {_ENTRY}",
    "SCRIPT LOAD x",
    "EVALSHA x 0",
    "CLIENT NO-TOUCH ON",
)
"""Every command that Aside gives, itself or in a script."""

_MAY = """
local refused = {}
for _, command in ipairs(ARGV) do
  local words = {}
  for word in string.gmatch(command, '%S+') do words[#words + 1] = word end
  local known, may = pcall(redis.acl_check_cmd, unpack(words))
  if known and not may then refused[#refused + 1] = command end
end
return refused"""


class _Asker:
    """A connection whose replies are texts."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection

    async def ask(self, *command: str | int) -> Any:
        await self._connection.send_command(*command)
        reply = await self._connection.read_response()
        return _text(reply)


def _text(reply: Any) -> Any:
    match reply:
        case bytes():
            return reply.decode(errors="replace")
        case list():
            return [_text(each) for each in reply]
        case _:
            return reply


async def look_at_redis(settings: Settings) -> RedisFacts:
    """Raises what redis-py raises where there is no connection to be had, or it says nothing for ten times as long as
    the service would wait.
    """
    connection = connector(settings.redis_url.get_secret_value(), client_name="aside-doctor")()
    try:
        async with asyncio.timeout(10 * settings.redis.operation_timeout_seconds):
            await connection.connect()  # type: ignore[no-untyped-call]
            latency_ms, clock = await timed_round_trips(partial(_clock, asker := _Asker(connection)))
        looks = Looks(each_seconds=_LOOK_SECONDS, all_seconds=ALL_SECONDS)
        return RedisFacts(
            latency_ms=latency_ms,
            clock=clock,
            database=int(connection.db or 0),
            info=await looks.at(_info, asker),
            refused=await looks.at(_refused, asker),
            heartbeat=await looks.at(_heartbeat, asker),
            watermark=await looks.at(_watermark, asker),
        )
    finally:
        await connection.disconnect(nowait=True)


async def _clock(asker: _Asker) -> float:
    seconds, micros = await asker.ask("TIME")
    return int(seconds) + int(micros) / 1e6


async def _info(asker: _Asker) -> dict[str, str]:
    return dict(re.findall(r"^(\w+):([^\r\n]*)", await asker.ask("INFO"), re.MULTILINE))


async def _refused(asker: _Asker) -> list[str]:
    try:
        found = await asker.ask("EVAL", _MAY, 0, *_NEEDED)
    except ResponseError as error:
        if str(error).startswith("NOPERM"):
            return ["EVAL"]
        raise
    return [" ".join(each.split()[:2]) for each in found]


async def _heartbeat(asker: _Asker) -> Heartbeat | None:
    value, left_ms = await asker.ask("GET", HEARTBEAT), await asker.ask("PTTL", HEARTBEAT)
    if value is None:
        return None
    run_id, _, generations = value.partition("|")
    return Heartbeat(run_id, generations.partition(" ")[0], left_ms)  # behind it, the epochs of single types


async def _watermark(asker: _Asker) -> Watermark | None:
    found = _WATERMARK.fullmatch(await asker.ask("GET", WATERMARK) or "")
    return None if found is None else Watermark(found[1], found[2])
