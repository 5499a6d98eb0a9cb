"""The commands that run Aside, and their options; all others are named in :mod:`service.cli.lazily`."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from service.cli.lazily import LazyGroup
from service.cli.refusals import BAD_SETTING, read_settings, readable_failures, refuse
from service.errors import InvalidInputError
from service.logs import configure_logging

STARTED_AT = time.monotonic()

app = typer.Typer(
    name="aside",
    cls=LazyGroup,
    help="JSON entities and typed parameters out of PostgreSQL, through a cache that is never stale.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)

Host = Annotated[str | None, typer.Option(help="Address to listen on; instead of ASIDE_HOST.")]
Port = Annotated[int | None, typer.Option(min=0, max=65_535, help="Port; instead of ASIDE_PORT.")]
RunTimeRole = Annotated[
    str | None,
    typer.Option(
        envvar="ASIDE_RUN_TIME_ROLE",
        help="The role that services log in with: made where it is missing, and granted what serving needs. "
        "Its password: ASIDE_RUN_TIME_PASSWORD, or a file that ASIDE_RUN_TIME_PASSWORD_FILE names.",
    ),
]
Workers = Annotated[int | None, typer.Option(min=1, max=64, help="Processes; instead of ASIDE_WORKERS.")]


@contextmanager
def _importing() -> Iterator[None]:
    """Nothing that is imported goes away: to look through it again and again takes a seventh of the time of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@app.command()
def serve(host: Host = None, port: Port = None, workers: Workers = None) -> None:
    """Serve, on the PostgreSQL and the Valkey or Redis that DATABASE_URL and REDIS_URL name."""
    settings = read_settings(host=host, port=port, workers=workers)
    with _importing():
        from service.cli import serving  # noqa: PLC0415 (all of the service)

    with readable_failures(), serving.listening(settings) as listeners, serving.stopping_on_signals():
        serving.serve(settings, listeners)


@app.command()
def dev(
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    folder: Annotated[Path, typer.Option(help="Where the servers that this starts keep their data.")] = Path(".local"),
) -> None:
    """Start PostgreSQL and Valkey (unless their URLs are given), migrate, and serve. Ctrl-C stops everything."""
    read_settings(host=host, port=port, workers=workers)
    with _importing():
        from service.cli.dev import run_dev  # noqa: PLC0415 (all of the service)

    with readable_failures():
        run_dev(folder, started_at=STARTED_AT)


@app.command()
def migrate(
    revision: Annotated[str, typer.Option(help="An Alembic revision, or head.")] = "head",
    run_time_role: RunTimeRole = None,
) -> None:
    """Bring the schema of DATABASE_URL up to date."""
    settings = read_settings()
    from service.cli.migrating import run_migrate  # noqa: PLC0415 (slow to import, and needed here only)

    configure_logging(settings.log_level, "console")
    with readable_failures():
        run_migrate(settings, revision, run_time_role=run_time_role)


@app.command()
def demo(
    url: Annotated[str | None, typer.Option(help="The service to talk to; the local one if not given.")] = None,
    *,
    outage: Annotated[bool, typer.Option(help="Also stop a cache, on servers started for this alone.")] = True,
) -> None:
    """Show what the service can do, with real data, against one that runs."""
    base_url = url or f"http://127.0.0.1:{read_settings().port}"
    from service.demo import run as run_demo  # noqa: PLC0415 (slow to import, and needed here only)

    with readable_failures():
        raise typer.Exit(run_demo(base_url, with_outage=outage))


@app.command()
def warm(
    types: Annotated[list[str] | None, typer.Option("--type", help="An entity type; may be repeated.")] = None,
    prefix: Annotated[str, typer.Option(help="Only ids that begin so.")] = "",
    ids: Annotated[list[str] | None, typer.Option(help="Only these ids of one type, separated by commas.")] = None,
    ids_file: Annotated[Path | None, typer.Option(help="The same, one in each line; - for the standard input.")] = None,
    *,
    hot: Annotated[int | None, typer.Option(min=1, max=100_000, help="So many of the keys read most.")] = None,
    rate: Annotated[float | None, typer.Option(min=1, help="Rows per second at the most.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Fill the cache ahead of readers, beside services that run: everything, or what the options say."""
    settings = read_settings()
    from service.cli.warm import run_warm, wanted_of  # noqa: PLC0415 (slow to import, and needed here only)
    from service.cli.warming_display import Display  # noqa: PLC0415

    configure_logging(settings.log_level, "console")
    with readable_failures():
        try:
            wanted = wanted_of(types or [], prefix=prefix, ids=ids or [], ids_file=ids_file, hot=hot)
        except InvalidInputError as error:
            refuse(str(error), exit_code=BAD_SETTING)
        run_warm(settings, wanted, hot=hot, rows_per_second=rate, display=Display(as_json=as_json))
