"""The tables, as Alembic migrates them. Functions and triggers live in the migrations; `docs/schema.md` tells why."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id, which never wraps."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


ischema_names["xid8"] = Xid8  # so that reflection knows the type, and a comparison of schemas is silent

metadata = MetaData()

# Versions stay exact in a double: Lua and most JSON readers have nothing better.
entity_version = Sequence("entity_version", data_type=BigInteger, maxvalue=2**53 - 1, metadata=metadata)

entity = Table(
    "entity",
    metadata,
    Column("entity_type", Text(collation="C"), primary_key=True),
    Column("id", Text(collation="C"), primary_key=True),
    Column("body", JSONB),
    Column("version", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False, server_default=text("false")),
    Column("cache_ttl_seconds", Double),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    # What the patterns of `service.domain.entity` say, without their {0,62} and {0,254}: those are slow in PostgreSQL.
    CheckConstraint("length(entity_type) <= 63 AND entity_type ~ '^[a-z][a-z0-9_-]*$'", name="entity_type_is_a_name"),
    CheckConstraint("length(id) <= 255 AND id ~ '^[A-Za-z0-9][A-Za-z0-9._~:@-]*$'", name="entity_id_is_a_name"),
    CheckConstraint("deleted = (body IS NULL)", name="entity_tombstone_has_no_body"),
    CheckConstraint("cache_ttl_seconds > 0", name="entity_ttl_is_positive"),
    CheckConstraint(
        "entity_type <> 'parameter' OR deleted OR aside_parameter_is_true(body)",
        name="entity_parameter_is_true_to_its_type",
    ),
    Index("entity_tombstones", "updated_at", postgresql_where=text("deleted")),
)

change = Table(
    "change",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("xid", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
    Column("entity_type", Text(collation="C"), nullable=False),
    Column("id", Text(collation="C"), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    Index("change_xid", "xid"),
)

epoch = Table(
    "epoch",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("truncated_version", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("id = 1", name="epoch_is_one_row"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("term", BigInteger, nullable=False, server_default=text("0")),
    Column("run_id", Text),
    Column("granted_until", DateTime(timezone=True), nullable=False, server_default=text("'epoch'")),
    Column("bound_seconds", Double, nullable=False, server_default=text("0")),
    Column("generation", Text),
    Column("applied", Text),
    Column("pruned_xid", Xid8, nullable=False, server_default=text("'0'")),
    CheckConstraint("id = 1", name="ledger_is_one_row"),
)

parameter_version = Table(
    "parameter_version",
    metadata,
    Column("key", Text(collation="C"), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("body", JSONB),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("superseded_at", DateTime(timezone=True)),
    Column("actor", Text),
    Column("reason", Text),
    CheckConstraint("kind IN ('created', 'updated', 'deleted', 'rolled_back')", name="parameter_version_kind_is_known"),
    CheckConstraint("(kind = 'deleted') = (body IS NULL)", name="parameter_version_deletion_has_no_body"),
    Index("parameter_version_current", "key", unique=True, postgresql_where=text("superseded_at IS NULL")),
    Index("parameter_version_superseded", "superseded_at", postgresql_where=text("superseded_at IS NOT NULL")),
)

type_epoch = Table(
    "type_epoch",
    metadata,
    Column("entity_type", Text(collation="C"), primary_key=True),
    Column("number", BigInteger, nullable=False),
)

_OPEN = "state IN ('queued', 'running')"
job = Table(
    "job",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("wanted", JSONB, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'queued'")),
    Column("progress", JSONB, nullable=False, server_default=text("'{}'")),
    Column("reached", JSONB),
    Column("about", BigInteger),
    Column("cancel_requested", Boolean, nullable=False, server_default=text("false")),
    Column("error", Text),
    Column("actor", Text),
    Column("runner", Text),
    Column("claimed_until", DateTime(timezone=True), nullable=False, server_default=text("'-infinity'")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    CheckConstraint("kind IN ('warm', 'purge')", name="job_kind_is_known"),
    CheckConstraint("origin IN ('request', 'start', 'empty')", name="job_origin_is_known"),
    CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="job_state_is_known"),
    Index("job_open", "id", postgresql_where=text(_OPEN)),
    Index("job_finished", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
)

hot_key = Table(
    "hot_key",
    metadata,
    Column("replica", Text, primary_key=True),
    Column("entity_type", Text(collation="C"), primary_key=True),
    Column("id", Text(collation="C"), primary_key=True),
    Column("reads_per_second", Double, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    Index("hot_key_at", "at"),
)

policy_edition = Table(
    "policy_edition",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False, server_default=text("0")),
    Column("at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    CheckConstraint("id = 1", name="policy_edition_is_one_row"),
)

policy = Table(
    "policy",
    metadata,
    Column("entity_type", Text(collation="C"), primary_key=True),
    Column("strategy", Text, nullable=False),
    Column("ttl_seconds", Double, nullable=False),
    Column("jitter", Double, nullable=False),
    Column("negative_ttl_seconds", Double, nullable=False),
    Column("stale_if_error_seconds", Double, nullable=False),
    Column("early_refresh_beta", Double, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("updated_by", Text),
    CheckConstraint("entity_type ~ '^[a-z][a-z0-9_-]{0,62}$'", name="policy_entity_type_is_a_name"),
    CheckConstraint("strategy IN ('cache_aside', 'write_through')", name="policy_strategy_is_known"),
    CheckConstraint(
        "ttl_seconds > 0 AND ttl_seconds < 'Infinity' "
        "AND negative_ttl_seconds > 0 AND negative_ttl_seconds < 'Infinity' "
        "AND stale_if_error_seconds >= 0 AND stale_if_error_seconds < 'Infinity'",
        name="policy_lifetimes_are_finite",
    ),
    CheckConstraint(
        "jitter BETWEEN 0 AND 0.5 AND early_refresh_beta BETWEEN 0 AND 10", name="policy_shares_are_bounded"
    ),
)

policy_version = Table(
    "policy_version",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("entity_type", Text(collation="C"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("members", JSONB),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text),
    Column("reason", Text),
    CheckConstraint("kind IN ('set', 'removed')", name="policy_version_kind_is_known"),
    CheckConstraint("(kind = 'removed') = (members IS NULL)", name="policy_version_removal_has_no_members"),
    Index("policy_version_of_type", "entity_type", "version"),
)

import_progress = Table(
    "import_progress",
    metadata,
    Column("source", Text, primary_key=True),
    Column("records", BigInteger, nullable=False),
    Column("lines", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("rejects_bytes", BigInteger, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
)

api_key_edition = Table(
    "api_key_edition",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False, server_default=text("0")),
    Column("at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    CheckConstraint("id = 1", name="api_key_edition_is_one_row"),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Text(collation="C"), primary_key=True),
    Column("name", Text(collation="C"), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("replaces", Text(collation="C")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("created_by", Text),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Column("last_used_at", DateTime(timezone=True)),
    UniqueConstraint("digest", name="api_key_digest_is_unique"),
    CheckConstraint("name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'", name="api_key_name_is_a_name"),
    CheckConstraint("octet_length(digest) = 32", name="api_key_digest_is_a_sha256"),
    CheckConstraint("cardinality(scopes) > 0", name="api_key_may_do_something"),
    Index("api_key_of_name", "name"),
)

api_key_event = Table(
    "api_key_event",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("key_id", Text(collation="C"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("said", JSONB, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text),
    Column("reason", Text),
    CheckConstraint("kind IN ('created', 'changed', 'revoked', 'removed')", name="api_key_event_kind_is_known"),
    Index("api_key_event_of_key", "key_id", "number"),
)

idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("client", Text(collation="C"), primary_key=True),
    Column("key", Text(collation="C"), primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("versions", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    Column("created", ARRAY(Boolean), nullable=False, server_default=text("'{}'")),
    Column("modified_at_ms", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    Column("body", LargeBinary),
    Column("at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    CheckConstraint("octet_length(digest) = 32", name="idempotency_key_digest_is_a_sha256"),
    Index("idempotency_key_at", "at"),
)
