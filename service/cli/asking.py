"""How a command asks a running service: where it is, how long it may take, and what a refusal says to a person.

    with asking(url) as service:
        policies = service.get("/v1/cache/policies")["policies"]

A refusal, or a service that does not answer, ends the command: a text on stderr and an exit code. Inside the block
`RefusedError` may be caught, by a command that knows better what a status means.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

import httpx
import typer

from service.bench.errors import BadOptionError
from service.bench.target import parse_target
from service.cli.refusals import BAD_SETTING, FAILED, read_settings, refuse
from service.settings import Settings

Url = Annotated[
    str | None, typer.Option("--url", envvar="ASIDE_URL", help="The service to ask; the local one if not given.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the service's JSON and nothing else.")]

KEY_VARIABLE = "ASIDE_API_KEY"
"""Not an option: what is written on a command line can be seen by everybody on the machine."""
_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 15.0
"""Longer than any request of Aside's may take."""
_CALLERS_FAULT = frozenset({400, 413, 415, 422})


class Reply(NamedTuple):
    """An answer that is no refusal. ``body`` is its JSON; None where there is none."""

    status: int
    headers: httpx.Headers
    body: Any


class RefusedError(Exception):
    """The service has answered, and what it says is no. ``problem`` has the members of RFC 9457, as far as sent."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(_words_of(status, problem))
        self.status = status
        self.problem = problem

    @property
    def exit_code(self) -> int:
        """2 where the options cannot be, otherwise 1."""
        return BAD_SETTING if self.status in _CALLERS_FAULT else FAILED


class Service:
    """A service that runs, asked one question at a time."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON at a path. Raises RefusedError."""
        return self.send("GET", path, query=query).body

    @contextmanager
    def lines(self, path: str, *, query: Mapping[str, str], headers: Mapping[str, str]) -> Iterator[Iterator[str]]:
        """The lines of an answer as they come. Raises RefusedError."""
        with self._client.stream("GET", path, params=query, headers=headers) as answer:
            if not answer.is_success:
                answer.read()
                found = _json_of(answer)
                raise RefusedError(answer.status_code, found if isinstance(found, dict) else {})
            yield answer.iter_lines()

    def send(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:  # fmt: skip
        """Any request; ``body`` is sent as JSON. Raises RefusedError."""
        sent = None if body is None else json.dumps(body).encode()
        head = {"Content-Type": "application/json"} if sent is not None else {}
        answer = self._client.request(method, path, content=sent, params=query, headers={**head, **(headers or {})})
        found = _json_of(answer)
        if answer.is_success:
            return Reply(answer.status_code, answer.headers, found)
        raise RefusedError(answer.status_code, found if isinstance(found, dict) else {})


@contextmanager
def asking(url: str | None) -> Iterator[Service]:
    """The service at ``url``; None: the one of this machine. Raises typer.Exit, after it has said why."""
    try:
        base_url = parse_target(url or local_url(read_settings())).url
    except BadOptionError as error:
        refuse(str(error), exit_code=BAD_SETTING)
    timeout = httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS)
    try:
        with httpx.Client(
            base_url=base_url, timeout=timeout, headers=key_header(os.environ.get(KEY_VARIABLE))
        ) as client:
            yield Service(client)
    except RefusedError as error:
        refuse(str(error), exit_code=error.exit_code)
    except httpx.TimeoutException:
        refuse(f"the service at {base_url} did not answer in time")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        refuse(f"no service answers at {base_url} ({str(error) or type(error).__name__}); --url names another one")


def local_url(settings: Settings) -> str:
    """Where the service of this machine answers operators."""
    return f"http://127.0.0.1:{settings.admin_port or settings.port}"


def key_header(key: str | None) -> dict[str, str]:
    """What says who asks; nothing where there is no key. Raises typer.Exit for what no header can hold."""
    if not key:
        return {}
    if not (key.isascii() and key.isprintable()):
        refuse(f"what {KEY_VARIABLE} holds is no key", exit_code=BAD_SETTING)
    return {"Authorization": f"Bearer {key}"}


def path_of(*steps: str) -> str:
    """A path of so many segments, whatever is in them: `path_of("v1", "cache", "policies", entity_type)`."""
    return "".join(f"/{_segment(step)}" for step in steps)


def _segment(step: str) -> str:
    """`.` and `..` would lead elsewhere."""
    return step.replace(".", "%2E") if step in {".", ".."} else quote(step, safe="~:@")


def _json_of(answer: httpx.Response) -> Any:
    """None where there is no body, or one that is no JSON: then a proxy answered, or another kind of service."""
    try:
        return answer.json() if answer.content else None
    except ValueError:
        if answer.is_success:
            raise RefusedError(answer.status_code, {}) from None
        return None


def _words_of(status: int, problem: Mapping[str, Any]) -> str:
    """A problem for people: what happened, and each fault on a line of its own."""
    if "detail" not in problem:
        return f"what answered is no Aside, or something stands before it: status {status}"
    faults = [
        (fault.get("parameter") or fault.get("pointer") or "the body", str(fault.get("detail")))
        for fault in problem.get("errors", [])
    ]
    is_said = len(faults) == 1 and faults[0][1] in problem["detail"]
    lines = [problem["title"] if len(faults) > 1 and "title" in problem else problem["detail"]]
    lines += [] if is_said else [f"{place}: {detail}" for place, detail in faults]
    if status >= 500 and "request_id" in problem:
        lines.append(f"request {problem['request_id']}")
    return "\n       ".join(lines)
