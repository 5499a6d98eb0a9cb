"""Whether it is safe to listen as the settings say: every fault at once, each with what to set. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

from service.settings import Settings

_WITH_TLS = frozenset({"require", "verify-ca", "verify-full"})


def exposure_faults(settings: Settings) -> list[str]:
    """What keeps the service from starting; nothing, where it may."""
    faults = list(_open_to_strangers(settings))
    if settings.profile == "production":
        faults += _not_for_production(settings)
    return faults


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it: by name or address, as it may stand in a URL."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _open_to_strangers(settings: Settings) -> Iterator[str]:
    hosts = {"ASIDE_HOST": settings.host}
    if settings.admin_port is not None:
        hosts["ASIDE_ADMIN_HOST"] = settings.admin_host
    open_hosts = [f"{name} is {host}" for name, host in hosts.items() if not is_loopback(host)]
    if open_hosts and settings.access.required is None:
        yield (
            f"{' and '.join(open_hosts)}, which others can reach, and nothing says who may: set "
            "ASIDE_ACCESS__REQUIRED=true and make a key (aside keys create), or ASIDE_ACCESS__REQUIRED=false where "
            "something else sees to it"
        )


def _not_for_production(settings: Settings) -> Iterator[str]:
    if not settings.needs_keys:
        yield "nobody is asked for a key: set ASIDE_ACCESS__REQUIRED=true, and make one (aside keys create)"
        if settings.admin_port is None:
            yield "metrics, documentation and dashboard are open on the public port: set ASIDE_ADMIN_PORT"
    yield from _faults_of_servers(settings)
    if settings.migrate_on_start:
        yield "the service may change the schema: set ASIDE_MIGRATE_ON_START=false, and run aside migrate"
    if settings.example_entity:
        yield "example data would be added: set ASIDE_EXAMPLE_ENTITY=false"


def _faults_of_servers(settings: Settings) -> Iterator[str]:
    for name, field in (("DATABASE_URL", "database_url"), ("REDIS_URL", "redis_url")):
        if field not in settings.model_fields_set:
            yield f"{name} is not set, and the default is for a machine of one's own: set it"
            continue
        url: str = getattr(settings, field).get_secret_value()
        try:
            yield from _faults_of_url(name, url, is_redis=field == "redis_url")
        except ValueError:
            yield f"{name} is no URL: set it to one"


def _faults_of_url(name: str, url: str, *, is_redis: bool) -> Iterator[str]:
    """A server on this machine may be trusted by where it is; one on a network by a password, through TLS."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    hosts = [*query.get("host", []), unquote(parts.hostname or "")]
    if parts.scheme == "unix" or all(not host or host.startswith("/") or is_loopback(host) for host in hosts):
        return
    if not parts.password and not query.get("password"):
        yield f"{name} has no password, and goes over a network: set one, there and here"
    if is_redis and parts.scheme not in {"rediss", "valkeys"}:
        yield f"{name} goes over a network without TLS: make it rediss://"
    if not is_redis and query.get("sslmode", query.get("ssl", [""]))[0] not in _WITH_TLS:
        yield f"{name} goes over a network without TLS: add ?sslmode=verify-full"
