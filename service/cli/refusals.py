"""How a command refuses: one readable text on stderr and an exit code, never a traceback."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import typer
from pydantic import BaseModel, ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.markup import escape

from service.errors import AsideError
from service.settings import Settings

FAILED, BAD_SETTING = 1, 2


def refuse(text: str, *, exit_code: int = FAILED) -> NoReturn:
    """Say why, and end the command."""
    Console(stderr=True, soft_wrap=True, highlight=False, emoji=False).print(f"[bold red]aside:[/] {escape(text)}")
    raise typer.Exit(exit_code)


@contextmanager
def readable_failures() -> Iterator[None]:
    """Turn what Aside refuses, and what the network or the disk refuses, into a text."""
    try:
        yield
    except (AsideError, OSError) as error:
        refuse(str(error) or type(error).__name__)


def read_settings(**overrides: object) -> Settings:
    """The settings of the environment, which the given options overrule: also for the workers, who read it again."""
    for name, value in overrides.items():
        if value is not None:
            os.environ[f"ASIDE_{name.upper()}"] = str(value)
    try:
        return Settings()
    except ValidationError as error:
        # Not the value: it may be a password.
        faults = [f"{variable_of(fault['loc'])}: {fault['msg']}" for fault in error.errors(include_input=False)]
        refuse("\n       ".join(["this cannot be set so:", *faults]), exit_code=BAD_SETTING)
    except SettingsError as error:
        field = re.search(r'field "(\w+)"', str(error))
        variable = variable_of([field.group(1)]) if field else "A setting"
        refuse(f"{variable} is not the JSON that it should be", exit_code=BAD_SETTING)


def variable_of(location: Sequence[str | int]) -> str:
    """The environment variable that sets what pydantic found fault with, and the place inside it."""
    if not location:
        return "The settings together"
    first, *rest = map(str, location)
    if first in Settings.model_fields:
        names = [f"ASIDE_{first}".upper()]
        model = Settings.model_fields[first].annotation
        while rest and isinstance(model, type) and issubclass(model, BaseModel) and rest[0] in model.model_fields:
            model = model.model_fields[rest[0]].annotation
            names.append(rest.pop(0).upper())
        first = "__".join(names)
    return f"{first} (at {'.'.join(rest)})" if rest else first
