"""`aside migrate`: the schema, then the role that services log in with, where one is named."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from service.addresses import secret_in
from service.cli.refusals import BAD_SETTING, refuse
from service.db.migrations import upgrade
from service.db.roles import let_serve
from service.settings import Settings

_PASSWORD, _PASSWORD_FILE = "ASIDE_RUN_TIME_PASSWORD", "ASIDE_RUN_TIME_PASSWORD_FILE"


def run_migrate(settings: Settings, revision: str, *, run_time_role: str | None) -> None:
    """Safe to be run by many at once, and again. Refuses, before anything is changed, what cannot be meant."""
    password = _password()
    if password is not None and run_time_role is None:
        refuse(f"{_PASSWORD} is given, and no role that it belongs to: --run-time-role", exit_code=BAD_SETTING)
    if run_time_role is not None and revision != "head":
        refuse("rights are granted at the newest revision only: leave out --run-time-role", exit_code=BAD_SETTING)
    url = settings.database_url.get_secret_value()
    upgrade(url, revision)
    typer.echo(f"The schema is at {revision}.")
    if run_time_role is not None:
        let_serve(url, run_time_role, password=password)
        typer.echo(f"The role {run_time_role} may serve.")


def _password() -> str | None:
    """Never an option: other users can read a command line."""
    given, file = os.environ.get(_PASSWORD), os.environ.get(_PASSWORD_FILE)
    if given and file:
        refuse(f"{_PASSWORD} and {_PASSWORD_FILE} are both given: which of them counts?", exit_code=BAD_SETTING)
    return secret_in(Path(file)) if file else given or None
