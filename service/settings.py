"""What can be set, with units in the names. Read by cli, app and wiring only; everything else is handed values."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.addresses import Address, is_readable
from service.cache.policy import Policy, Strategy
from service.domain.entity import ENTITY_TYPE_PATTERN
from service.domain.parameter import PARAMETER

Positive = Annotated[float, Field(gt=0)]
EntityType = Annotated[str, Field(pattern=ENTITY_TYPE_PATTERN)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatabaseSettings(_Frozen):
    """PostgreSQL: how many connections, and how long anyone waits."""

    load_connections: Annotated[int, Field(ge=1, le=64)] = 3
    write_connections: Annotated[int, Field(ge=1, le=256)] = 8
    browse_connections: Annotated[int, Field(ge=1, le=64)] = 3
    """For lists, histories and differences, which are read past the cache."""
    connect_timeout_seconds: Positive = 2.0
    statement_timeout_seconds: Positive = 2.0
    load_batch_size: Annotated[int, Field(ge=1, le=10_000)] = 1_000


class RedisSettings(_Frozen):
    """Redis or Valkey: how long it may take before it counts as absent."""

    operation_timeout_seconds: Annotated[float, Field(gt=0, le=0.25)] = 0.2
    request_budget_seconds: Annotated[float, Field(gt=0, le=0.3)] = 0.28
    lease_seconds: Positive = 5.0
    lease_wait_seconds: Positive = 0.15
    lanes: Annotated[int, Field(ge=1, le=16)] = 2
    fails_over: bool = False
    """True where another server may take over this one's address: Sentinel, Cluster, a managed replication group."""


class RelaySettings(_Frozen):
    """The task that carries changes from PostgreSQL to the cache and keeps its heartbeat."""

    poll_seconds: Positive = 0.1
    page_size: Annotated[int, Field(ge=1, le=10_000)] = 2_000
    change_retention_seconds: Positive = 86_400.0
    tombstone_retention_seconds: Positive = 30 * 86_400.0


class AuditSettings(_Frozen):
    """The sampler that holds cached entries against PostgreSQL."""

    samples_per_second: Annotated[float, Field(ge=0, le=1_000)] = 10.0
    """Of each process; 0 switches it off."""


WhatToWarm = Literal["nothing", "hot", "everything"]


class WarmingSettings(_Frozen):
    """Filling the cache ahead of readers, by the services themselves. `aside warm` is a process of its own."""

    rows_per_second: Annotated[float, Field(ge=1, le=1_000_000)] = 2_000.0
    """Of a job that does not say how fast."""
    at_start: WhatToWarm = "nothing"
    """`hot`: the keys that were read most, of all replicas together; `everything`: all that there is."""
    when_empty: WhatToWarm = "hot"
    """After a flush, a restart of Redis without its data, a failover to an empty server."""
    hot_keys: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    """How many they are."""
    entity_types: tuple[EntityType, ...] = ()
    """Which types `everything` is; none: all of them."""
    ready_waits_seconds: Annotated[float, Field(ge=0, le=3_600)] = 0.0
    """So long may the warming at start keep /readyz at 503."""


class TracingSettings(_Frozen):
    """Spans of OpenTelemetry; where they go, the standard OTEL_* variables say."""

    enabled: bool = False

    @field_validator("enabled")
    @classmethod
    def _is_installed(cls, enabled: bool) -> bool:  # noqa: FBT001, pydantic's
        if enabled and not all(map(find_spec, ("opentelemetry.sdk", "opentelemetry.exporter"))):
            raise ValueError("OpenTelemetry's SDK is not installed: pip install 'aside[tracing]'")
        return enabled


class PolicySettings(_Frozen):
    """How entities of a type are cached; see `service.cache.policy.Policy` for each field."""

    strategy: Strategy = Strategy.CACHE_ASIDE
    ttl_seconds: Positive = 300.0
    jitter: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    negative_ttl_seconds: Positive = 30.0
    stale_if_error_seconds: Annotated[float, Field(ge=0)] = 0.0
    early_refresh_beta: Annotated[float, Field(ge=0, le=10)] = 1.0

    def to_policy(self) -> Policy:
        return Policy(**self.model_dump())


class ParameterSettings(_Frozen):
    """What is particular to parameters."""

    history_retention_seconds: Positive = 90 * 86_400.0
    """How long a version is kept after another one took its place. The current one is always kept."""
    schema_check_seconds: Annotated[float, Field(gt=0, le=10)] = 0.5
    """The longest that one value may take to be checked against its JSON Schema."""


class IdempotencySettings(_Frozen):
    """Requests that clients send with an Idempotency-Key."""

    retention_seconds: Positive = 86_400.0
    """How long a repeat is answered as the first one was."""


PARAMETER_POLICY = PolicySettings(strategy=Strategy.WRITE_THROUGH, ttl_seconds=3_600.0)
"""How parameters are cached, as far as `policies` does not say otherwise."""


class LimitSettings(_Frozen):
    """What clients may send, how slowly, and how much of it."""

    body_bytes: Annotated[int, Field(ge=1)] = 1024 * 1024
    json_depth: Annotated[int, Field(ge=1, le=512)] = 64
    ttl_seconds: Positive = 30 * 86_400.0
    """The longest lifetime that a client may ask for."""
    connections: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Of each process; fewer where it may not open so many files."""
    head_bytes: Annotated[int, Field(ge=1_024, le=1024 * 1024)] = 16_384
    header_count: Annotated[int, Field(ge=16, le=1_000)] = 100
    head_seconds: Positive = 10.0
    body_seconds: Positive = 30.0
    unread_seconds: Positive = 30.0
    """In so long a client has to read 64 KiB of its answer, or all of it."""
    streams: Annotated[int, Field(ge=0, le=100_000)] = 100
    """Clients that follow the feed of changes, of each process."""
    stream_heartbeat_seconds: Annotated[float, Field(ge=0.1, le=3_600)] = 5.0
    """How long a stream may say nothing: shorter than a proxy keeps a connection on which nothing comes."""
    absent_per_second: Annotated[float, Field(ge=1)] = 200.0
    """Reads that may find that there is no such entity, in each process, before misses are held back."""
    requests_per_second: Annotated[float, Field(ge=0)] = 0.0
    """Of one client, over all replicas; 0: as many as it likes."""
    burst: Annotated[float, Field(ge=1)] | None = None
    """How many it may send at once after a pause; two seconds' worth if not given."""
    alone_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """The part of the rate that one process grants while Redis cannot tell what the others grant."""


class AccessSettings(_Frozen):
    """Who may ask. Unset, a service that listens on loopback asks nobody for a key, and any other refuses to start."""

    required: bool | None = None
    grace_seconds: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    """How long beyond B keys are trusted while PostgreSQL does not tell which ones were revoked."""


class Settings(BaseSettings):
    """Everything, out of the environment: `ASIDE_PORT`, `ASIDE_DATABASE__LOAD_CONNECTIONS`, `DATABASE_URL`, …"""

    model_config = SettingsConfigDict(env_prefix="ASIDE_", env_nested_delimiter="__", frozen=True, extra="ignore")

    database_url: SecretStr = Field(
        default=SecretStr("postgresql://postgres@127.0.0.1:5432/postgres"), validation_alias="DATABASE_URL"
    )
    """With the password in it, wherever that was given."""
    database_url_file: Path | None = Field(default=None, validation_alias="DATABASE_URL_FILE")
    database_password: SecretStr | None = Field(default=None, validation_alias="DATABASE_PASSWORD")
    database_password_file: Path | None = Field(default=None, validation_alias="DATABASE_PASSWORD_FILE")
    redis_url: SecretStr = Field(default=SecretStr("redis://127.0.0.1:6379/0"), validation_alias="REDIS_URL")
    """With the password in it, wherever that was given."""
    redis_url_file: Path | None = Field(default=None, validation_alias="REDIS_URL_FILE")
    redis_password: SecretStr | None = Field(default=None, validation_alias="REDIS_PASSWORD")
    redis_password_file: Path | None = Field(default=None, validation_alias="REDIS_PASSWORD_FILE")
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    admin_host: str = "127.0.0.1"
    admin_port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    """Where what is for operators is served, and then only there: metrics, documentation, dashboard, cache, keys."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    profile: Literal["development", "production"] = "development"
    """`production` does not start where it is not safe to."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    migrate_on_start: bool = False
    example_entity: bool = False
    """Add `country/JP` to an empty database: what the examples at `/docs` ask for."""
    drain_seconds: Annotated[float, Field(ge=0)] = 0.0
    """How long a stopping process stays unready, but serving, so that a load balancer can notice."""
    shutdown_grace_seconds: Positive = 10.0
    keep_alive_seconds: Annotated[float, Field(gt=0, le=3_600)] = 75.0
    """How long an idle connection of a client stays open: longer than a load balancer keeps it, or it will one day send
    a request into a connection that is being closed."""
    bound_seconds: Annotated[float, Field(ge=0.5, le=60)] = 2.0
    """B, the staleness bound. The same on every replica."""
    database: DatabaseSettings = DatabaseSettings()
    redis: RedisSettings = RedisSettings()
    relay: RelaySettings = RelaySettings()
    audit: AuditSettings = AuditSettings()
    tracing: TracingSettings = TracingSettings()
    access: AccessSettings = AccessSettings()
    warming: WarmingSettings = WarmingSettings()
    limits: LimitSettings = LimitSettings()
    default_policy: PolicySettings = PolicySettings()
    policies: dict[EntityType, PolicySettings] = {}
    """Per entity type, as JSON: `ASIDE_POLICIES='{"price": {"strategy": "write_through"}}'`. What is not said, the
    default says: for `parameter` that is `PARAMETER_POLICY`."""
    parameters: ParameterSettings = ParameterSettings()
    idempotency: IdempotencySettings = IdempotencySettings()

    @model_validator(mode="before")
    @classmethod
    def _with_secrets_of_files(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {**given, **_url_of("DATABASE", given), **_url_of("REDIS", given)}

    @field_validator("database_url", "redis_url")
    @classmethod
    def _can_be_read(cls, url: SecretStr) -> SecretStr:
        if not is_readable(url.get_secret_value()):
            raise ValueError("is no URL: in a password, / is written %2F, ? %3F, # %23, @ %40 and % %25")
        return url

    @property
    def database_address(self) -> Address:
        """For whoever connects again and again: what is in a file may change meanwhile."""
        return Address(
            self.database_url.get_secret_value(),
            self.database_url_file,
            password_file=self.database_password_file,
        )

    @property
    def redis_address(self) -> Address:
        """See `database_address`."""
        return Address(self.redis_url.get_secret_value(), self.redis_url_file, password_file=self.redis_password_file)

    @property
    def needs_keys(self) -> bool:
        return self.access.required is True

    @property
    def own_policies(self) -> dict[str, PolicySettings]:
        """Of every type that has a policy of its own."""
        given = self.policies.get(PARAMETER)
        own = {} if given is None else {name: getattr(given, name) for name in given.model_fields_set}
        return {**self.policies, PARAMETER: PARAMETER_POLICY.model_copy(update=own)}

    @model_validator(mode="after")
    def _times_fit(self) -> Self:
        if self.redis.lease_seconds < self.database.statement_timeout_seconds:
            raise ValueError("redis.lease_seconds must not be shorter than database.statement_timeout_seconds")
        if self.relay.poll_seconds > self.bound_seconds / 4:
            raise ValueError("relay.poll_seconds must not exceed a quarter of bound_seconds")
        if self.admin_port is not None and self.admin_port == self.port:
            raise ValueError("admin_port must not be the same as port")
        longest = max(
            p.ttl_seconds + p.stale_if_error_seconds for p in (self.default_policy, *self.own_policies.values())
        )
        if self.relay.tombstone_retention_seconds < max(longest, self.limits.ttl_seconds):
            raise ValueError("relay.tombstone_retention_seconds must not be shorter than the longest lifetime")
        return self


def _url_of(server: str, given: dict[str, Any]) -> dict[str, str]:
    """What `DATABASE_URL` or `REDIS_URL` is, all that belongs to it considered; nothing where only defaults count."""
    url, url_file = f"{server}_URL", f"{server}_URL_FILE"
    password, password_file = f"{server}_PASSWORD", f"{server}_PASSWORD_FILE"
    for one, other in ((url, url_file), (password, password_file)):
        if given.get(one) and given.get(other):
            raise ValueError(f"{one} and {other} are both given: which of them counts?")
    found = {name: given[name] for name in (url, url_file, password, password_file) if given.get(name)}
    if not found.keys() - {url}:
        return {}
    if url not in found and url_file not in found:
        raise ValueError(f"{server}_URL is missing, to which the password belongs")
    try:
        address = Address(
            _text(found.get(url, "")),
            Path(found[url_file]) if url_file in found else None,
            _text(found[password]) if password in found else None,
            Path(found[password_file]) if password_file in found else None,
        )
        return {url: address()}
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the file that {server}_URL or its password is to be read from: {error}") from error


def _text(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
