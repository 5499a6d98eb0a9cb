"""`aside bench` and its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from service.bench.errors import BadOptionError
from service.bench.mix import Distribution
from service.bench.options import Options
from service.cli.refusals import BAD_SETTING, readable_failures, refuse

_LONGEST_SECONDS = 86_400


def _asked(*names: str, **option: Any) -> Any:
    return typer.Option(*names, rich_help_panel="What is asked", **option)


def _how(*names: str, **option: Any) -> Any:
    return typer.Option(*names, rich_help_panel="How", **option)


Url = Annotated[str, typer.Argument(help="The service, as in http://127.0.0.1:8000.")]
Type = Annotated[str | None, _asked("--type", help="Entities of this type; needs --ids or --ids-file.")]
Ids = Annotated[str | None, _asked(help="1:1000, both ends included; or user-1:1000.")]
IdsFile = Annotated[Path | None, _asked(help="A file with an id in each line.")]
Parameters = Annotated[bool, _asked("--parameters", help="All parameters that there are.")]
UrlPath = Annotated[str | None, _asked("--path", help="Any path, of any service: '/any/{id}?x=1'.")]
SeedEntities = Annotated[int, _asked(min=1, max=1_000_000, help="How many to make, if nothing above is said.")]
Keep = Annotated[bool, _asked("--keep", help="Do not remove them at the end.")]
Overwrite = Annotated[bool, _asked("--overwrite", help="Let writes replace entities of --type.")]
Mix = Annotated[str, _asked(help="Shares of reads, writes, if-none-match, absent, batch-read: reads=95,writes=5.")]
BodyBytes = Annotated[int, _asked(min=1, max=1_000_000, help="How large what is written is.")]
BatchSize = Annotated[int, _asked(min=1, max=1000, help="Keys in a batch-read.")]
OfKeys = Annotated[Distribution, _asked(help="Which keys: all alike, or the first ones more often.")]
ZipfS = Annotated[float, _asked(min=0.0, max=10.0, help="The n-th key in proportion to 1/n^s.")]
Seed = Annotated[int, _asked(help="The same seed asks for the same.")]

ApiKey = Annotated[
    str | None, _how("--api-key", envvar="ASIDE_API_KEY", show_envvar=True, help="Sent with each request.")
]
Connections = Annotated[int, _how(min=1, max=20_000, help="Each has one request under way.")]
Duration = Annotated[float, _how(min=0.1, max=_LONGEST_SECONDS, help="Seconds.")]
Warmup = Annotated[float, _how(min=0.0, max=_LONGEST_SECONDS, help="Seconds before them that do not count.")]
Rate = Annotated[
    float | None,
    _how(min=0.01, max=1e6, help="Requests per second, whatever becomes of them (open loop); else as many as go."),
]
Timeout = Annotated[float, _how(min=0.01, max=300, help="Seconds, after which a request has failed.")]
Processes = Annotated[int, _how(min=1, max=64, help="That make the load; one makes some 35,000 requests per second.")]
MaxErrors = Annotated[int, _how(min=0, help="More than these make the exit code 3.")]
Json = Annotated[bool, _how("--json", help="Print one JSON object, and nothing else.")]


def bench(
    url: Url,
    *,
    entity_type: Type = None,
    ids: Ids = None,
    ids_file: IdsFile = None,
    parameters: Parameters = False,
    path: UrlPath = None,
    seed_entities: SeedEntities = 1000,
    keep: Keep = False,
    overwrite: Overwrite = False,
    mix: Mix = "reads=100",
    body_bytes: BodyBytes = 250,
    batch_size: BatchSize = 20,
    distribution: OfKeys = Distribution.UNIFORM,
    zipf_s: ZipfS = 1.0,
    seed: Seed = 1,
    api_key: ApiKey = None,
    connections: Connections = 64,
    duration: Duration = 10.0,
    warmup: Warmup = 0.0,
    rate: Rate = None,
    timeout: Timeout = 5.0,
    processes: Processes = 1,
    max_errors: MaxErrors = 0,
    as_json: Json = False,
) -> None:
    """Load a running service, and tell its hit ratio and its latencies. Ctrl-C ends it early.

    If nothing is said of what to ask for, it makes entities of a type of its own, and removes them at the end.
    """
    options = Options(**locals())  # one field for each parameter
    from service.bench.running import run  # noqa: PLC0415 (slow to import, and needed here only)

    with readable_failures():
        try:
            exit_code = run(options)
        except BadOptionError as error:
            refuse(str(error), exit_code=BAD_SETTING)
        raise typer.Exit(exit_code)
