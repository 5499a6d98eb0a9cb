"""`aside jobs`: what long work there is, how far it has come, and an end to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from service.cli.asking import AsJson, Url, asking
from service.cli.following import follow, tell_job
from service.cli.wide_console import wide_console

jobs = typer.Typer(help="See the jobs of a running service, and cancel them.", no_args_is_help=True)

_PATH = "/v1/cache/jobs"
_COLOURS = {"running": "bold", "queued": "bold", "failed": "red", "cancelled": "yellow"}

JobId = Annotated[int, typer.Argument(metavar="JOB", min=1, help="Its number.")]
Limit = Annotated[int, typer.Option(min=1, max=1_000, help="So many at the most.")]
Follow = Annotated[bool, typer.Option("--follow", help="Until it has ended.")]


@jobs.command("list")
def list_jobs(url: Url = None, limit: Limit = 20, *, as_json: AsJson = False) -> None:
    """List them, the newest first."""
    with asking(url) as service:
        found = service.get(_PATH, limit=limit)
    if as_json:
        typer.echo(json.dumps(found))
        return
    table = Table("job", "what", "state", "progress", "by", "created", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for job in found["jobs"]:
        table.add_row(*map(escape, _cells(job)), style=_COLOURS.get(job["state"], ""))
    wide_console().print(table if found["jobs"] else "There are none.")


def _cells(job: Mapping[str, Any]) -> tuple[str, ...]:
    counts = ", ".join(f"{count:,} {name}" for name, count in job["progress"].items() if count)
    about = f" of about {job['about']:,}" if job["about"] else ""
    return (
        str(job["id"]),
        f"{job['kind']} {json.dumps(job['wanted'], ensure_ascii=False)}",
        job["state"] + (f": {job['error']}" if job["error"] else ""),
        f"{counts}{about}",
        job["actor"] or job["origin"],
        job["created_at"][:19].replace("T", " "),
    )


@jobs.command("show")
def show_job(job_id: JobId, url: Url = None, *, follow_it: Follow = False, as_json: AsJson = False) -> None:
    """Show one; with --follow until its end, and then 0 only if it is done."""
    with asking(url) as service:
        job = service.get(f"{_PATH}/{job_id}")
        if follow_it:
            follow(service, job, as_json=as_json)
    tell_job(job, as_json=as_json)


@jobs.command("cancel")
def cancel_job(job_id: JobId, url: Url = None, *, as_json: AsJson = False) -> None:
    """End one, in order: what it has done stays done."""
    with asking(url) as service:
        job = service.send("DELETE", f"{_PATH}/{job_id}").body
    tell_job(job, as_json=as_json)
