"""What the user asks for, and the plan that it amounts to. Nothing is sent before it all makes sense."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from service.bench.errors import BadOptionError
from service.bench.keys import check_entity_ids, ids_of_file, ids_of_range
from service.bench.mix import Distribution, parse_mix
from service.bench.plan import Plan, Subject, check_plan, entities
from service.bench.target import Target, parse_target

SEEDED_TYPE = "bench"
_TYPE = re.compile(r"[a-z][a-z0-9_-]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """As in `aside bench --help`. ``duration``, ``warmup`` and ``timeout`` are seconds."""

    url: str
    ids: str | None = None
    ids_file: Path | None = None
    entity_type: str | None = None
    path: str | None = None
    parameters: bool = False
    overwrite: bool = False
    seed_entities: int = 1000
    keep: bool = False
    mix: str = "reads=100"
    distribution: Distribution = Distribution.UNIFORM
    zipf_s: float = 1.0
    connections: int = 64
    processes: int = 1
    duration: float = 10.0
    warmup: float = 0.0
    rate: float | None = None
    timeout: float = 5.0
    seed: int = 1
    batch_size: int = 20
    body_bytes: int = 250
    max_errors: int = 0
    as_json: bool = False
    api_key: str | None = field(default=None, repr=False)

    @property
    def target(self) -> Target:
        """Raises BadOptionError."""
        return parse_target(self.url, api_key=self.api_key)

    @property
    def seeds(self) -> bool:
        """Whether it loads entities of its own, which it has to make first."""
        return not (self.entity_type or self.path or self.parameters)


def plan_of(options: Options, subject: Subject) -> Plan:
    """Raises BadOptionError."""
    return check_plan(
        Plan(
            target=options.target,
            subject=subject,
            mix=parse_mix(options.mix),
            distribution=options.distribution,
            zipf_s=options.zipf_s,
            connections=options.connections,
            processes=options.processes,
            seconds=options.duration,
            warmup_seconds=options.warmup,
            rate=options.rate,
            timeout_seconds=options.timeout,
            seed=options.seed,
            batch_size=options.batch_size,
            body_bytes=options.body_bytes,
        )
    )


def subject_of(options: Options, run_id: str) -> Subject:
    """What is loaded, as far as it can be said without asking the service. Raises BadOptionError.

    ``run_id`` is in the ids of entities that are to be seeded, so that they are nobody else's.
    """
    _check_one_subject(options)
    ids = _given_ids(options)
    if options.path is not None:
        return _path(options.path, ids)
    if options.entity_type is not None:
        if not _TYPE.fullmatch(options.entity_type):
            raise BadOptionError(f"--type: {options.entity_type!r} cannot be the type of an entity")
        if not ids:
            raise BadOptionError("--type needs --ids or --ids-file: entities are not listed")
        check_entity_ids(ids)
        return entities(options.entity_type, ids, can_write=options.overwrite)
    if ids:
        raise BadOptionError("--ids and --ids-file need --type or --path: ids of what?")
    seeded = tuple(f"{run_id}-{number}" for number in range(1, options.seed_entities + 1))
    return entities(SEEDED_TYPE, seeded, can_write=True)


def _check_one_subject(options: Options) -> None:
    given = {"--type": options.entity_type, "--path": options.path, "--parameters": options.parameters}
    names = [name for name, value in given.items() if value]
    if len(names) > 1:
        raise BadOptionError(f"{' and '.join(names)} exclude each other")
    if options.ids is not None and options.ids_file is not None:
        raise BadOptionError("--ids and --ids-file exclude each other")


def _given_ids(options: Options) -> tuple[str, ...]:
    if options.ids is not None:
        return ids_of_range(options.ids)
    return () if options.ids_file is None else ids_of_file(options.ids_file)


def _path(path: str, ids: tuple[str, ...]) -> Subject:
    if not (path.startswith("/") and path.isascii() and path.isprintable() and " " not in path):
        raise BadOptionError(f"--path: {path!r} is no path; /any/{{id}}?x=1 is one")
    if bool(ids) != ("{id}" in path):
        raise BadOptionError("--path with {id} needs --ids or --ids-file, and these need {id} in the path")
    return Subject(path=path, ids=ids or ("",), is_aside=False)
