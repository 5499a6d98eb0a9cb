"""`aside export` and `aside import`, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.refusals import BAD_SETTING, read_settings, readable_failures, refuse
from service.domain.interchange import Conflict, Format
from service.errors import InvalidInputError

Kind = Annotated[Format | None, typer.Option("--format", help="ndjson, if the file's name does not end in .csv.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def export_entities(
    entity_type: Annotated[str, typer.Option("--type", help="The entity type; parameter: the parameters.")],
    *,
    prefix: Annotated[str, typer.Option(help="Only ids that begin so.")] = "",
    kind: Kind = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="A file; - for the standard output.")] = Path("-"),
    after: Annotated[str, typer.Option(metavar="ID", help="Only ids that come after this one.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a file that was not finished.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin a file anew that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the entities of a type to a file, as they are at one moment, in the order of their ids."""
    settings = read_settings()
    from service.cli.exporting import Options, check, run_export  # noqa: PLC0415 (slow to import, and needed here only)

    options = Options(
        entity_type=entity_type,
        prefix=prefix,
        kind=kind or _kind_of(output),
        output=output,
        after=after,
        resume=resume,
        overwrite=overwrite,
    )
    with readable_failures():
        try:
            check(options)
            run_export(settings, options, as_json=as_json)
        except InvalidInputError as error:
            refuse(str(error), exit_code=BAD_SETTING)


def import_entities(
    file: Annotated[Path, typer.Argument(help="What `aside export` writes; - for the standard input.")],
    *,
    entity_type: Annotated[str | None, typer.Option("--type", help="Of records that name none.")] = None,
    kind: Kind = None,
    chunk: Annotated[int, typer.Option(min=1, max=100_000, help="Records in one transaction.")] = 1_000,
    on_conflict: Annotated[Conflict, typer.Option(help="What becomes of an entity that is there.")] = Conflict.REPLACE,
    rejects: Annotated[Path | None, typer.Option(help="Keep bad records here and go on; else stop at them.")] = None,
    rate: Annotated[float | None, typer.Option(min=1, help="Records per second at the most.")] = None,
    actor: Annotated[str | None, typer.Option(envvar="ASIDE_ACTOR", help="For the history of parameters.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after the last chunk that was written.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write entities out of a file into PostgreSQL, chunk by chunk; caches hear of it as of any change."""
    settings = read_settings()
    from service.cli.importing import Options, check, run_import  # noqa: PLC0415 (slow to import, and needed here only)
    from service.cli.importing_display import Display  # noqa: PLC0415

    options = Options(
        file=file,
        kind=kind or _kind_of(file),
        entity_type=entity_type,
        chunk=chunk,
        on_conflict=on_conflict,
        rejects=rejects,
        resume=resume,
        rows_per_second=rate,
        actor=actor,
    )
    with readable_failures():
        try:
            check(options)
            run_import(settings, options, Display(as_json=as_json))
        except InvalidInputError as error:
            refuse(str(error), exit_code=BAD_SETTING)


def _kind_of(file: Path) -> Format:
    return Format.CSV if file.suffix.lower() == ".csv" else Format.NDJSON
