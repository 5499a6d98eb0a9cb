"""Asks a child process whether a value satisfies its schema; one question at a time, and never for long.

No schema can hang the service, exhaust its memory or crash it: at the worst the child dies, and the next question gets
a new one. The child sees none of the service's environment.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any

from service.domain.exact_json import Json, pointer_to, render_exact
from service.errors import ChecksBusyError, Fault, SchemaViolationError, UnusableSchemaError

_WORKER = Path(__file__).with_name("worker.py")
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT")
_START_SECONDS = 5.0
_REPLY_BYTES_MAX = 1 << 20
_TOO_SLOW = "takes too long to check"


class SchemaChecker:
    """``limit_seconds`` is what one check may take, ``wait_seconds`` how long it may wait for its turn."""

    def __init__(self, *, limit_seconds: float, wait_seconds: float) -> None:
        self._limit_seconds = limit_seconds
        self._wait_seconds = wait_seconds
        self._turn = asyncio.Lock()
        self._process: Process | None = None

    async def check(self, schema: Json, value: Json, *, value_at: str = "/value") -> None:
        """Return if the schema is one and the value satisfies it. ``value_at`` is where the value is in the request.

        Raises UnusableSchemaError (also for what cannot be checked within the limit), SchemaViolationError, and
        ChecksBusyError.
        """
        if schema is None:
            return
        question = json.dumps({"schema": render_exact(schema), "value": render_exact(value)}) + "\n"
        answer = await self._in_turn(question.encode())
        part = answer["part"]
        at = "/schema" if part == "schema" else value_at
        faults = [Fault(at + pointer_to(*path), detail) for path, detail in answer["faults"]]
        if faults:
            raise (UnusableSchemaError if part == "schema" else SchemaViolationError).at(*faults)

    async def _in_turn(self, question: bytes) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._turn.acquire()
        except TimeoutError as error:
            raise ChecksBusyError("too many values wait to be checked against their schemas") from error
        try:
            # A child that died while it was idle says nothing about this question: it is asked once more.
            answer = await self._ask(question) if self._process is not None else None
            answer = answer or await self._ask(question)
        finally:
            self._turn.release()
        if answer is None:
            raise UnusableSchemaError.at(Fault("/schema", "cannot be checked"))
        return answer

    async def _ask(self, question: bytes) -> dict[str, Any] | None:
        """The answer; None where the child died without one. Raises UnusableSchemaError where it took too long."""
        process = self._process = self._process or await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(_START_SECONDS + self._limit_seconds):
                with suppress(ConnectionError):
                    process.stdin.write(question)
                    await process.stdin.drain()
                line = await process.stdout.readline()
                if line.endswith(b"\n"):
                    answer: dict[str, Any] = json.loads(line)
                    return answer
                timed_out = await process.wait() == -14  # SIGALRM: its own timer
        except TimeoutError:
            timed_out = True
        except BaseException:
            await self.close()  # an answer may still come, and it would be taken for the next question's
            raise
        await self.close()
        if timed_out:
            raise UnusableSchemaError.at(Fault("/schema", _TOO_SLOW))
        return None

    async def _start(self) -> Process:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        arguments = ("-P", str(_WORKER), str(self._limit_seconds))
        return await asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdin=PIPE, stdout=PIPE, limit=_REPLY_BYTES_MAX, env=environment
        )

    async def close(self) -> None:
        """End the child, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
