"""Following a job to its end: a bar while it runs, what became of it, and the exit code. Ctrl-C leaves it running."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from service.cli.asking import RefusedError, Service
from service.cli.refusals import FAILED, refuse

INTERRUPTED = 130
ENDED = frozenset({"done", "failed", "cancelled"})

_LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 60.0
_COUNTED = {"warm": "rows", "purge": "keys"}

Job = Mapping[str, Any]


def follow(service: Service, job: Job, *, as_json: bool) -> None:
    """Until it has ended, then tell it. Raises typer.Exit: 0 done, 1 failed or cancelled, 130 after Ctrl-C."""
    try:
        with _bar(job, hidden=as_json) as show:
            while job["state"] not in ENDED:
                time.sleep(_LOOK_SECONDS)
                job = _look(service, job)
                show(job)
    except KeyboardInterrupt:
        where = f"aside jobs show {job['id']}; aside jobs cancel {job['id']} ends it"
        typer.echo(f"\nJob {job['id']} goes on without you. See it: {where}.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    tell_job(job, as_json=as_json)
    raise typer.Exit(0 if job["state"] == "done" else FAILED)


def _look(service: Service, job: Job) -> Job:
    """The job now. A service that is restarted meanwhile is waited for: the job is kept elsewhere."""
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            found: Job = service.get(f"/v1/cache/jobs/{job['id']}")
            return found
        except (httpx.TransportError, RefusedError) as error:
            if isinstance(error, RefusedError) and error.status < 500:
                raise
            if time.monotonic() > give_up_at:
                refuse(
                    f"the service says nothing any more; job {job['id']} may still go on: aside jobs show {job['id']}"
                )
            time.sleep(_LOOK_SECONDS)


@contextmanager
def _bar(job: Job, *, hidden: bool) -> Iterator[Any]:
    """Gives what moves the bar. It is on stderr, and only where that is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[words]}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=hidden or not sys.stderr.isatty()) as progress:
        task: TaskID = progress.add_task(f"job {job['id']}", total=None, words="")

        def show(now: Job) -> None:
            done, about = now["progress"].get(_COUNTED.get(now["kind"], ""), 0), now["about"]
            words = (
                now["state"] if now["state"] != "running" else f"{done:,}" + (f" of about {about:,}" if about else "")
            )
            progress.update(task, completed=done, total=max(about, done) if about else None, words=words)

        show(job)
        yield show


def tell_job(job: Job, *, as_json: bool) -> None:
    """On stdout: its JSON, or a line for people."""
    if as_json:
        typer.echo(json.dumps(job))
    else:
        typer.echo(words_of_job(job))


def words_of_job(job: Job) -> str:
    """E.g. `job 7 purge {"all": true}: done, 1,204 keys, 1,204 purged`."""
    counts = ", ".join(f"{count:,} {name}" for name, count in job["progress"].items() if count)
    error = f": {job['error']}" if job["error"] else ""
    wanted = json.dumps(job["wanted"], ensure_ascii=False)
    return f"job {job['id']} {job['kind']} {wanted}: {job['state']}{', ' + counts if counts else ''}{error}"
