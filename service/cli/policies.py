"""`aside policies`: how entity types are cached, seen and set in a service that runs."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from service.cache.policy import Strategy
from service.cli.asking import AsJson, Url, asking, path_of
from service.cli.policies_display import MEMBERS, tell_difference, tell_json, tell_policies, tell_versions

policies = typer.Typer(
    help="How entity types are cached: see it, set it, see what it was.", no_args_is_help=True, add_completion=False
)

_PATH = ("v1", "cache", "policies")

EntityType = Annotated[str, typer.Argument(metavar="TYPE", help="An entity type.")]
Actor = Annotated[str | None, typer.Option(envvar="ASIDE_ACTOR", help="Who says so, for the history.")]
Reason = Annotated[str | None, typer.Option(help="Why, for the history.")]
IfVersion = Annotated[int | None, typer.Option(min=1, help="Only if this very version is stored.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check it and show the difference; write nothing.")]


@policies.command("list")
def list_all(*, url: Url = None, as_json: AsJson = False) -> None:
    """Every policy: the default, those of the settings, those that are stored."""
    with asking(url) as service:
        found = service.get(path_of(*_PATH))
    if as_json:
        tell_json(found)
    else:
        tell_policies([found["default"], *found["policies"]])


@policies.command()
def get(entity_type: EntityType, *, url: Url = None, as_json: AsJson = False) -> None:
    """The policy of one type, and who says so."""
    with asking(url) as service:
        found = service.get(path_of(*_PATH, entity_type))
    if as_json:
        tell_json(found)
    else:
        tell_policies([found])


@policies.command("set")
def set_policy(
    entity_type: EntityType,
    *,
    strategy: Annotated[Strategy | None, typer.Option(help="What a write does to the cache.")] = None,
    ttl_seconds: Annotated[float | None, typer.Option(help="How long an entry is fresh.")] = None,
    jitter: Annotated[float | None, typer.Option(help="The share by which lifetimes differ, up to 0.5.")] = None,
    negative_ttl_seconds: Annotated[float | None, typer.Option(help="How long an absence is remembered.")] = None,
    stale_if_error_seconds: Annotated[float | None, typer.Option(help="How much longer, without PostgreSQL.")] = None,
    early_refresh_beta: Annotated[float | None, typer.Option(help="XFetch's β; 0: no early refresh.")] = None,
    if_version: IfVersion = None,
    actor: Actor = None,
    reason: Reason = None,
    dry_run: DryRun = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Set the policy of a type. What is not given, the settings say; what is cached keeps its lifetime."""
    given = {name: value for name, value in locals().items() if name in MEMBERS and value is not None}
    headers = _headers(if_version=if_version, actor=actor, reason=reason)
    with asking(url) as service:
        query = {"dry_run": str(dry_run).lower()}
        found = service.send("PUT", path_of(*_PATH, entity_type), body=given, headers=headers, query=query).body
    if as_json:
        tell_json(found)
    elif dry_run:
        tell_difference(found)
    else:
        tell_policies([found])


@policies.command()
def unset(
    entity_type: EntityType,
    *,
    if_version: IfVersion = None,
    actor: Actor = None,
    reason: Reason = None,
    dry_run: DryRun = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Take the stored policy away, and show what counts from now on: the settings."""
    path, headers = path_of(*_PATH, entity_type), _headers(if_version=if_version, actor=actor, reason=reason)
    with asking(url) as service:
        found = service.send("DELETE", path, headers=headers, query={"dry_run": str(dry_run).lower()}).body
        found = found if dry_run else service.get(path)
    if as_json:
        tell_json(found)
    elif dry_run:
        tell_difference(found)
    else:
        tell_policies([found])


@policies.command()
def history(
    entity_type: EntityType,
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many changes at most.")] = 20,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """What was stored for a type, newest first: when, by whom, why."""
    with asking(url) as service:
        found = service.get(path_of(*_PATH, entity_type, "versions"), limit=limit)
    if as_json:
        tell_json(found)
    else:
        tell_versions(found["versions"])


def _headers(*, if_version: int | None, actor: str | None, reason: str | None) -> dict[str, str]:
    headers = {} if if_version is None else {"If-Match": f'"{if_version}"'}
    said = {"Aside-Actor": actor, "Aside-Reason": reason}
    return {**headers, **{name: quote(text) for name, text in said.items() if text}}
