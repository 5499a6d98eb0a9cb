"""Tours by curl: the commands of a page, run in a shell as a reader would paste them, and what the page claims of them.

A comment behind a command, or on the line after it, is a claim if it begins with a status:

    curl -i $base/dune -H 'If-None-Match: *'   # 412, ETag: "7", Content-Type: application/problem → errors — words

That is a status, headers that begin so, and after an arrow a text that stands in the answer; what follows a dash is for
people. A command without a claim must succeed.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BASE = "http://127.0.0.1:8000"
"""Where the pages say that the service is."""

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*"|(?:(?<=\s)|^)\#\s*(?P<comment>[^\n]*)""", re.MULTILINE)
_CLAIM = re.compile(r"(?P<status>[1-5]\d\d)(?P<headers>(?:, [A-Za-z-]+: [^,→]+?)*)(?: → (?P<text>.+?))?(?: — .*)?")
_STATUS_LINE = re.compile(r"^HTTP/\S+ (\d{3})", re.MULTILINE)

_CURL = """#!/bin/sh
exec {curl} --max-time 10 --dump-header "$TOUR/$STEP.headers" "$@"
"""


@dataclass(frozen=True, slots=True)
class Step:
    """A command with its comment."""

    line: int
    command: str
    comment: str

    @property
    def is_claim(self) -> bool:
        return self.comment[:1].isdigit()


@dataclass(frozen=True, slots=True)
class Answer:
    """What curl was answered with last, status 0 where it was not run; all that the command printed."""

    status: int
    headers: str
    printed: str


def steps_of(page: str, *, section: str | None = None) -> list[Step]:
    """The commands of all blocks in which curl occurs; with ``section``, of those below this heading."""
    start, end = 0, len(page)
    if section is not None:
        start = page.index(f"\n## {section}\n")
        end = page.find("\n## ", start + 1)
    found: list[Step] = []
    for block in _BLOCK.finditer(page, start, end):
        if "curl" in block[1]:
            found.extend(_steps(block[1], page.count("\n", 0, block.start(1)) + 1))
    return found


def _steps(block: str, first_line: int) -> Iterator[Step]:
    """A comment on a line of its own belongs to the command before it."""
    waiting: Step | None = None
    lines = block.splitlines()
    place = 0
    while place < len(lines):
        line, text = first_line + place, lines[place]
        while not _is_whole(text):
            place += 1
            text += "\n" + lines[place]
        place += 1
        command = _COMMENT.sub(lambda match: "" if match["comment"] is not None else match[0], text).strip()
        comment = " ".join(match["comment"] for match in _COMMENT.finditer(text) if match["comment"] is not None)
        if command:
            if waiting is not None:
                yield waiting
            waiting = Step(line, command, comment)
        elif comment and waiting is not None:
            waiting = Step(waiting.line, waiting.command, f"{waiting.comment} {comment}".strip())
    if waiting is not None:
        yield waiting


def _is_whole(text: str) -> bool:
    try:
        shlex.split(text, comments=True)
    except ValueError:  # a quotation or a backslash at the end: it goes on
        return False
    return True


def run(steps: list[Step], url: str, folder: Path) -> list[Answer]:
    """Run them in one shell, in order. ``folder`` is an empty one of this run's own."""
    curl = shutil.which("curl")
    assert curl is not None, "the tours need curl"
    wrapper = folder / "curl"
    wrapper.write_text(_CURL.format(curl=curl))
    wrapper.chmod(0o755)
    script = "".join(
        f"export STEP={number}\n{{\n{step.command}\n}} >$TOUR/{number}.out 2>$TOUR/{number}.err\n"
        for number, step in enumerate(steps)
    )
    environment = {"PATH": f"{folder}:/usr/local/bin:/usr/bin:/bin", "TOUR": str(folder), "no_proxy": "*"}
    subprocess.run(["/bin/sh"], input=script.replace(BASE, url), env=environment, text=True, check=False, timeout=60)
    return [_answer(folder, number) for number in range(len(steps))]


def _answer(folder: Path, number: int) -> Answer:
    out, headers = folder / f"{number}.out", folder / f"{number}.headers"
    told = headers.read_text() if headers.exists() else ""
    statuses = _STATUS_LINE.findall(told)
    return Answer(int(statuses[-1]) if statuses else 0, told, out.read_text() if out.exists() else "")


def faults(steps: list[Step], answers: list[Answer]) -> list[str]:
    """What is not as the page says."""
    return [
        f"line {step.line}: {step.command}\n  # {step.comment}\n  {fault}\n  {answer.headers}{answer.printed[-600:]}"
        for step, answer in zip(steps, answers, strict=True)
        for fault in _faults(step, answer)
    ]


def _faults(step: Step, answer: Answer) -> Iterator[str]:
    if not step.is_claim:
        if answer.status >= 400 or (step.command.startswith("curl ") and not answer.status):
            yield f"answered with {answer.status}"
        return
    claim = _CLAIM.fullmatch(step.comment)
    if claim is None:
        yield "is a claim that cannot be read"
        return
    if int(claim["status"]) != answer.status:
        yield f"answered with {answer.status}"
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in answer.headers.splitlines())}
    for header in claim["headers"].split(", ")[1:]:
        name, _, value = header.partition(": ")
        if not headers.get(name.lower(), "").startswith(value.strip()):
            yield f"has no {header}"
    if claim["text"] and claim["text"] not in answer.printed:
        yield f"does not say {claim['text']}"
