"""Commands that are imported when they are asked for: what serves shall not wait for what only others need."""

from __future__ import annotations

import pkgutil
from collections import UserDict
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

PLACES = {
    "bench": "service.cli.bench:bench",
    "changes": "service.cli.changes:changes",
    "doctor": "service.cli.doctor:doctor",
    "explain": "service.cli.explain:explain",
    "export": "service.cli.interchange:export_entities",
    "import": "service.cli.interchange:import_entities",
    "jobs": "service.cli.jobs:jobs",
    "keys": "service.cli.keys:keys",
    "policies": "service.cli.policies:policies",
    "purge": "service.cli.purge:purge",
    "stats": "service.cli.stats:stats",
}
"""Where each is: a function, or a group of commands."""


class _Commands(UserDict[str, Any]):
    """By name; those of `PLACES` take their place at the first look at them."""

    def __getitem__(self, name: str) -> Any:
        found = super().__getitem__(name)
        if isinstance(found, str):
            found = self[name] = _made(name, pkgutil.resolve_name(found))
        return found


def _made(name: str, found: Any) -> Any:
    if isinstance(found, typer.Typer):
        command: Any = get_group(found)
    else:
        around = typer.Typer(add_completion=False)
        around.command()(found)
        command = get_command(around)
    command.name = name
    return command


class LazyGroup(TyperGroup):
    """Has the commands of `PLACES` besides those that it is given."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands(dict(sorted({**self.commands, **PLACES}.items())))
