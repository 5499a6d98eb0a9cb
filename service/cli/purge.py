"""`aside purge`: what is to go, whether that is meant, and how it goes on."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.asking import AsJson, Service, Url, asking
from service.cli.following import follow, tell_job
from service.cli.refusals import BAD_SETTING, readable_failures, refuse

_PATH = "/v1/cache/purge"
_IDS_AT_ONCE = 1_000

Type = Annotated[str | None, typer.Option("--type", help="An entity type; `parameter` for parameters.")]
Prefix = Annotated[str, typer.Option(help="Only ids that begin so.")]
Ids = Annotated[list[str] | None, typer.Option("--id", help="Only this id; may be repeated.")]
IdsFile = Annotated[Path | None, typer.Option(help="Only ids in this file, one in each line; - for standard input.")]
Everything = Annotated[bool, typer.Option("--all", help="Everything, of every type.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether this is meant.")]
Detach = Annotated[bool, typer.Option("--detach", help="Do not wait for the job.")]
Actor = Annotated[str | None, typer.Option(envvar="ASIDE_ACTOR", help="Who asks; kept with the job.")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """``bodies``: what is sent, one after the other. ``words``: what that means."""

    bodies: list[dict[str, Any]]
    words: str
    is_large: bool
    """So that it is asked whether it is meant."""


def purge(
    url: Url = None,
    *,
    entity_type: Type = None,
    prefix: Prefix = "",
    ids: Ids = None,
    ids_file: IdsFile = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    detach: Detach = False,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Take entries out of the cache: some ids, a prefix, a type, or everything. The truth never needs it.

    A job of the service does what is long; Ctrl-C leaves it running.
    """
    with readable_failures():
        found = None if ids is None and ids_file is None else list(_ids(ids or [], ids_file))
    wanted = wanted_of(entity_type, prefix=prefix, ids=found, everything=everything, dry_run=dry_run)
    if wanted.is_large and not yes:
        _confirm(wanted)
    headers = {} if actor is None else {"Aside-Actor": actor}
    with asking(url) as service:
        if found is not None:
            _purge_ids(service, wanted, headers, as_json=as_json)
            return
        job = service.send("POST", _PATH, body=wanted.bodies[0], headers=headers).body
        if detach:
            tell_job(job, as_json=as_json)
        else:
            follow(service, job, as_json=as_json)


def wanted_of(
    entity_type: str | None, *, prefix: str, ids: Sequence[str] | None, everything: bool, dry_run: bool
) -> Wanted:
    """What the options ask for. Raises typer.Exit where they do not go together; names are the service's to judge."""
    more = {"dry_run": True} if dry_run else {}
    if everything:
        if entity_type is not None or prefix or ids is not None:
            refuse("--all is everything: leave --type, --prefix and the ids out", exit_code=BAD_SETTING)
        return Wanted([{"all": True, **more}], "everything, of every type", is_large=not dry_run)
    if entity_type is None:
        refuse("say what is to go: --type, perhaps with --prefix or ids; or --all", exit_code=BAD_SETTING)
    if ids is not None:
        if prefix:
            refuse("ids and --prefix do not go together", exit_code=BAD_SETTING)
        if not ids:
            refuse("there is no id among those given", exit_code=BAD_SETTING)
        parts = [list(ids[at : at + _IDS_AT_ONCE]) for at in range(0, len(ids), _IDS_AT_ONCE)]
        bodies = [{"entity_type": entity_type, "ids": part, **more} for part in parts]
        return Wanted(bodies, f"{len(ids):,} ids of type {entity_type}", is_large=False)
    if prefix:
        body = {"entity_type": entity_type, "prefix": prefix, **more}
        return Wanted([body], f"all of type {entity_type} that begins with {prefix}", is_large=False)
    return Wanted([{"entity_type": entity_type, **more}], f"all of type {entity_type}", is_large=not dry_run)


def _ids(given: Sequence[str], ids_file: Path | None) -> Iterator[str]:
    """Each of them once. Raises OSError."""
    text = (
        "" if ids_file is None else sys.stdin.read() if str(ids_file) == "-" else ids_file.read_text(errors="replace")
    )
    yield from dict.fromkeys([*given, *text.split()])


def _confirm(wanted: Wanted) -> None:
    if not sys.stdin.isatty():
        refuse(f"this purges {wanted.words}: say --yes if that is meant", exit_code=BAD_SETTING)
    question = f"Purge {wanted.words}? Readers go to PostgreSQL until it is cached again"
    if not typer.confirm(question, err=True):
        refuse("nothing was purged")


def _purge_ids(service: Service, wanted: Wanted, headers: Mapping[str, str], *, as_json: bool) -> None:
    replies = [service.send("POST", _PATH, body=body, headers=headers).body for body in wanted.bodies]
    purged, is_dry = sum(reply["purged"] for reply in replies), replies[0]["dry_run"]
    if as_json:
        typer.echo(json.dumps({"purged": purged, "dry_run": is_dry}))
    else:
        typer.echo(
            f"{purged:,} of {wanted.words} {'are' if is_dry else 'were'} cached{'' if is_dry else ', and are gone'}."
        )
