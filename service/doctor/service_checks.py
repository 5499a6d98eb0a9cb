"""What is said of the service that answers at a URL. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from service.doctor.facts import ServiceFacts
from service.doctor.finding import Finding, fail, ok, warn
from service.settings import Settings

_WELL = ("ok", "leading", "following")


def judge_service(facts: ServiceFacts, settings: Settings, *, version: str) -> Iterator[Finding]:
    """``version`` is this program's."""
    wrong = "; ".join(f"{name}: {state}" for name, state in facts.components.items() if state not in _WELL)
    found = f"/readyz says {facts.status}" + (f" ({wrong})" if wrong else "")
    if facts.status == "ready":
        yield ok("readiness", found)
    elif facts.status == "degraded":
        yield warn("readiness", found, "mend what it names; all requests are answered meanwhile, from PostgreSQL")
    elif facts.status == "draining":
        yield warn("readiness", found, "it is being stopped: look at another replica")
    else:
        yield fail("readiness", found, "mend what it names: it should get no requests until then")
    yield _version(facts.version, version)
    if facts.bound_seconds is not None and facts.bound_seconds != settings.bound_seconds:
        yield fail(
            "bound",
            f"it has B = {facts.bound_seconds:g} s, and here ASIDE_BOUND_SECONDS is {settings.bound_seconds:g}",
            "set the same everywhere, here too",
        )


def _version(theirs: str | None, ours: str) -> Finding:
    if theirs is None:
        return warn("version", "it does not tell its version", "does Aside answer there, or something else?")
    if theirs != ours:
        return warn("version", f"it is version {theirs}, and this is {ours}", "run the same version here as there")
    return ok("version", f"version {theirs}, as this program")
