"""All links in a process of their own: `python -m tests.chaos.links`. Orders come as lines of JSON, and so do answers.

It ends when its input does, so it never outlives who started it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import uvloop

from tests.chaos.link import Link

_ROOT = Path(__file__).parents[2]


class Links:
    """The campaign's side: `await links.open("redis-0", …)`, `await links.do("redis-0", "cut")`."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.chaos.links",
            cwd=_ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # the terminal's Ctrl-C is not for it
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(3):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def open(self, name: str, host: str, port: int, *, local_host: str = "") -> int:
        """The port of a new link to this server."""
        answer = await self._ask({"name": name, "open": [host, port], "local_host": local_host})
        return int(answer["port"])

    async def do(self, name: str, what: str, **how: Any) -> dict[str, Any]:
        return await self._ask({"name": name, "do": what, "how": how})

    async def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with self._turn:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            line = await self._process.stdout.readline()
        if not line:
            raise ConnectionError("the process of the links has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    links: dict[str, Link] = {}
    while line := await orders.readline():
        order = json.loads(line)
        name = order["name"]
        if "open" in order:
            host, port = order["open"]
            links[name] = Link((host, port), local_host=order["local_host"], seed=len(links))
            await links[name].listen(0)
            answer = links[name].do("look")
        else:
            answer = links[name].do(order["do"], **order["how"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def main() -> None:
    with suppress(KeyboardInterrupt):
        uvloop.run(_serve())


if __name__ == "__main__":
    main()
