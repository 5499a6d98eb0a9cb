"""What is said of settings that are each allowed, and do not go well together. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from service.doctor.finding import Finding, ok, warn
from service.settings import Settings

_HOUR = 3_600.0
_LOOPBACK = ("127.", "::1", "localhost")


def judge_settings(settings: Settings) -> Iterator[Finding]:
    """At least one finding: that all is well, where it is."""
    faults = list(_faults(settings))
    yield from faults or [ok("settings", "they go well together")]


def _faults(settings: Settings) -> Iterator[Finding]:
    yield from _faults_of_times(settings)
    if not settings.host.startswith(_LOOPBACK) and not settings.needs_keys:
        yield warn(
            "access",
            f"it listens on {settings.host}, and asks nobody who they are",
            "ASIDE_ACCESS__REQUIRED=true; or see that only those reach it who may write",
        )
    if settings.workers > 1 and settings.audit.samples_per_second > 100:
        yield warn(
            "audit",
            f"each of {settings.workers} workers audits {settings.audit.samples_per_second:g} keys a second",
            "lower ASIDE_AUDIT__SAMPLES_PER_SECOND: each sample is a query",
        )


def _faults_of_times(settings: Settings) -> Iterator[Finding]:
    redis, bound = settings.redis, settings.bound_seconds
    if redis.operation_timeout_seconds > redis.request_budget_seconds:
        yield warn(
            "redis budget",
            f"one exchange may take {redis.operation_timeout_seconds:g} s, a whole request only "
            f"{redis.request_budget_seconds:g} s",
            "ASIDE_REDIS__OPERATION_TIMEOUT_SECONDS below ASIDE_REDIS__REQUEST_BUDGET_SECONDS",
        )
    poll = settings.relay.poll_seconds + 3 * redis.operation_timeout_seconds
    if poll >= bound:
        yield warn(
            "bound",
            f"a poll of the relay may take {poll:g} s when Redis is slow, and a heartbeat lives for {bound:g} s",
            "a larger ASIDE_BOUND_SECONDS, or the cache goes off whenever Redis is slow",
        )
    if settings.relay.change_retention_seconds < _HOUR:
        yield warn(
            "change retention",
            f"changes are kept for {settings.relay.change_retention_seconds:g} s: a Redis that was away for longer "
            "begins empty",
            "a longer ASIDE_RELAY__CHANGE_RETENTION_SECONDS",
        )
    for name, policy in {"the default": settings.default_policy, **settings.own_policies}.items():
        if policy.ttl_seconds < 1:
            yield warn(
                "policies",
                f"entries of {name} live for {policy.ttl_seconds:g} s, and are refreshed all the time",
                "a longer ttl_seconds: the heartbeat keeps values true, not their lifetime",
            )
