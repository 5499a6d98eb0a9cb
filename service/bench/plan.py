"""All that a generator has to know, as plain data: it is sent to other processes."""

from __future__ import annotations

from dataclasses import dataclass

from service.bench.errors import BadOptionError
from service.bench.mix import Distribution, Kind, Share
from service.bench.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is asked for. ``path`` may have `{id}` in it, for which each of ``ids`` is put in."""

    path: str
    ids: tuple[str, ...]
    batch_path: str | None = None
    batch_member: str = ""
    """What the list is called in the body of a batch-read."""
    can_write: bool = False
    is_aside: bool = True
    """That a key does not exist is then an answer like others; elsewhere 404 is an error."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """What this can be asked with."""
        possible = {Kind.READS, Kind.CONDITIONAL}
        if "{id}" in self.path:
            possible.add(Kind.ABSENT)
        if self.batch_path is not None:
            possible.add(Kind.BATCH)
        if self.can_write:
            possible.add(Kind.WRITES)
        return frozenset(possible)


def entities(entity_type: str, ids: tuple[str, ...], *, can_write: bool) -> Subject:
    path = f"/v1/entities/{entity_type}"
    return Subject(
        path=f"{path}/{{id}}", ids=ids, batch_path=f"{path}/batch-read", batch_member="ids", can_write=can_write
    )


def parameters(keys: tuple[str, ...]) -> Subject:
    path = "/v1/parameters"
    return Subject(path=f"{path}/{{id}}", ids=keys, batch_path=f"{path}/batch-read", batch_member="keys")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``rate`` None is a closed loop: each connection asks again as soon as it is answered."""

    target: Target
    subject: Subject
    mix: tuple[Share, ...] = (Share(Kind.READS, 1.0),)
    distribution: Distribution = Distribution.UNIFORM
    zipf_s: float = 1.0
    connections: int = 64
    processes: int = 1
    seconds: float = 10.0
    """Measured, after the warm-up."""
    warmup_seconds: float = 0.0
    rate: float | None = None
    timeout_seconds: float = 5.0
    seed: int = 1
    batch_size: int = 20
    body_bytes: int = 250

    def connections_of(self, process: int) -> int:
        """How many one process holds; all of them together hold ``connections``."""
        share, rest = divmod(self.connections, self.processes)
        return share + (process < rest)


def check_plan(plan: Plan) -> Plan:
    """Raises BadOptionError where the parts do not fit together."""
    if plan.connections < plan.processes:
        raise BadOptionError("--connections: each of --processes needs one at least")
    for share in plan.mix:
        if share.kind not in plan.subject.kinds:
            raise BadOptionError(f"--mix: {share.kind} cannot be had here. {_REASONS[share.kind]}")
    return plan


_REASONS = {
    Kind.READS: "",
    Kind.CONDITIONAL: "",
    Kind.ABSENT: "The path has no {id}",
    Kind.BATCH: "Only entities and parameters are read in batches",
    Kind.WRITES: "It would replace what is there: write to entities that were seeded, or say --overwrite with --type",
}
