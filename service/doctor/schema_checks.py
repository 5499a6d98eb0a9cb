"""What is said of the schema: its revision, and whether what the promise rests on is as it was migrated. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from service.db.safeguards import FUNCTIONS, TRIGGERS
from service.doctor.facts import Backlog, Counter, PostgresFacts, Schema, Trigger
from service.doctor.finding import Finding, Unseen, fail, judged, ok, warn
from service.settings import Settings

_ALWAYS_FIRES = ("O", "A")
_MEBIBYTE = 1024 * 1024
_MANY_DUE = 10_000


def judge_schema(facts: PostgresFacts, settings: Settings, *, head: str) -> Iterator[Finding]:
    """``head`` is the revision that this program expects."""
    if isinstance(facts.revision, Unseen):
        yield fail(
            "revision",
            f"this could not be looked at: {facts.revision.reason}",
            "/readyz has to see it, too. GRANT what docs/schema.md lists",
        )
    else:
        yield from _judge_revision(facts.revision, head=head)
    if facts.schema is not None:
        yield from _judge_safeguards(facts.schema, is_newest=facts.revision == head)
        yield from judged("rights", facts.schema.missing_rights, _judge_rights)
        yield from judged("backlog", facts.schema.backlog, partial(_judge_backlog, settings=settings))


def _judge_revision(revision: str | None, *, head: str) -> Iterator[Finding]:
    if revision is None:
        yield fail("revision", "there is no schema of Aside in this database", "aside migrate")
    elif revision < head:
        yield fail("revision", f"the schema is at {revision}, and this program needs {head}", "aside migrate")
    elif revision > head:
        yield warn(
            "revision",
            f"the schema is at {revision}, newer than this program, which knows {head}",
            "run the newer version here, too; services of this one go on working meanwhile",
        )
    else:
        yield ok("revision", f"the schema is at {revision}, the newest")


def _judge_safeguards(schema: Schema, *, is_newest: bool) -> Iterator[Finding]:
    if is_newest:
        yield from judged("tables", schema.drift, _judge_drift)
        yield from judged("functions", schema.functions, _judge_functions)
    if is_newest or isinstance(schema.triggers, Unseen):
        yield from judged("triggers", schema.triggers, _judge_triggers)
    else:
        yield from _judge_enabled(schema.triggers)
    yield from judged("sequence", schema.counter, _judge_counter)


def _judge_drift(drift: Sequence[str]) -> Iterator[Finding]:
    if drift:
        level = fail if any("is missing" in each and not each.startswith("index") for each in drift) else warn
        yield level("tables", f"not as the migrations made them: {'; '.join(drift)}", "undo what was changed by hand")
    else:
        yield ok("tables", "as the migrations made them")


def _judge_functions(functions: Mapping[str, str]) -> Iterator[Finding]:
    missing = sorted(FUNCTIONS.keys() - functions.keys())
    other = sorted(name for name, fingerprint in FUNCTIONS.items() if functions.get(name, fingerprint) != fingerprint)
    if missing or other:
        words = [*(f"{name} is missing" for name in missing), *(f"{name} was changed" for name in other)]
        yield fail("functions", "; ".join(words), "bring them back: `aside migrate` in an empty database shows them")
    else:
        yield ok("functions", f"all {len(FUNCTIONS)} as the migrations made them")


def _judge_triggers(triggers: Mapping[str, Trigger]) -> Iterator[Finding]:
    missing = sorted(TRIGGERS.keys() - triggers.keys())
    other = sorted(name for name, what in TRIGGERS.items() if name in triggers and triggers[name].what != what)
    if missing or other:
        words = [*(f"{name} is missing" for name in missing), *(f"{name} was changed" for name in other)]
        yield fail(
            "triggers", "; ".join(words), "bring them back as the migrations have them: without them caches go stale"
        )
        return
    yield from _judge_enabled({name: trigger for name, trigger in triggers.items() if name in TRIGGERS})


def _judge_enabled(triggers: Mapping[str, Trigger]) -> Iterator[Finding]:
    silent = sorted(name for name, trigger in triggers.items() if trigger.enabled not in _ALWAYS_FIRES)
    if silent:
        tables = sorted({triggers[name].what.partition(" ")[0] for name in silent})
        yield fail(
            "triggers",
            f"{', '.join(silent)} {'does' if len(silent) == 1 else 'do'} not fire: what is changed goes unnoticed",
            "; ".join(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in tables)
            + "; then aside purge --all, as nobody knows what was changed meanwhile",
        )
    else:
        yield ok("triggers", f"all {len(triggers)} are there and fire")


def _judge_counter(counter: Counter | None) -> Iterator[Finding]:
    if counter is None:
        yield fail("sequence", "entity_version is missing", "restore it, ahead of every version")
    elif not counter.is_one_by_one:
        yield fail(
            "sequence",
            "entity_version is not counted one by one, so versions need not grow with commits",
            "ALTER SEQUENCE entity_version INCREMENT 1 CACHE 1 NO CYCLE",
        )
    elif counter.last_value < counter.newest:
        yield fail(
            "sequence",
            f"entity_version is at {counter.last_value:,}, behind version {counter.newest:,}, which was noted",
            f"SELECT setval('entity_version', {counter.newest})",
        )
    else:
        yield ok("sequence", f"entity_version is at {counter.last_value:,}")


def _judge_rights(missing: Sequence[str]) -> Iterator[Finding]:
    if missing:
        yield fail("rights", f"this role lacks {'; '.join(missing)}", "GRANT them: docs/schema.md has the list")
    else:
        yield ok("rights", "this role may do all that it has to")


def _judge_backlog(backlog: Backlog, *, settings: Settings) -> Iterator[Finding]:
    kept, oldest = settings.relay.change_retention_seconds, backlog.oldest_seconds
    found = f"about {backlog.about_changes:,} changes are kept, {backlog.change_bytes / _MEBIBYTE:,.1f} MiB"
    if oldest is not None:
        found += f", the oldest for {_span(oldest)}"
    if oldest is not None and oldest > 2 * kept + 600:
        yield warn(
            "changes",
            f"{found}, though {_span(kept)} are wanted",
            "see that a replica leads: the leader removes them. Log event: relay_failed",
        )
    else:
        yield ok("changes", found)
    due = backlog.tombstones_due
    if due >= _MANY_DUE:
        yield warn(
            "tombstones", f"{due:,} or more wait to be removed", "see that a replica leads: it removes 5,000 a second"
        )
    else:
        yield ok("tombstones", f"{due:,} wait to be removed")


def _span(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:,.0f} seconds"
