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
    Index,
    Integer,
    MetaData,
    Sequence,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType

from service.domain.entity import ENTITY_ID_PATTERN, ENTITY_TYPE_PATTERN


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id, which never wraps."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


ischema_names["xid8"] = Xid8  # so that reflection knows the type, and a comparison of schemas is silent

metadata = MetaData()

# Versions stay exact in a double: Lua and most JSON readers have nothing better.
entity_version = Sequence("entity_version", data_type=BigInteger, maxvalue=2**53 - 1, metadata=metadata)

_PARAMETER_IS_TRUE = r"""
    entity_type <> 'parameter' OR deleted OR coalesce(jsonb_typeof(body) = 'object' AND body ? 'value'
    AND CASE body->>'type'
        WHEN 'string' THEN jsonb_typeof(body->'value') = 'string'
        WHEN 'integer' THEN jsonb_typeof(body->'value') = 'number' AND body->>'value' ~ '^-?[0-9]+$'
        WHEN 'number' THEN jsonb_typeof(body->'value') = 'number'
        WHEN 'boolean' THEN jsonb_typeof(body->'value') = 'boolean'
        WHEN 'json' THEN true
        WHEN 'duration' THEN jsonb_typeof(body->'value') = 'string' AND body->>'value'
            ~ '^P(?=.)([0-9]{1,9}D)?(T(?=[0-9])([0-9]{1,9}H)?([0-9]{1,9}M)?([0-9]{1,12}(\.[0-9]{1,6})?S)?)?$'
        WHEN 'datetime' THEN jsonb_typeof(body->'value') = 'string' AND body->>'value'
            ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$'
        ELSE false
    END, false)"""

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
    CheckConstraint(f"entity_type ~ '{ENTITY_TYPE_PATTERN}'", name="entity_type_is_a_name"),
    CheckConstraint(f"id ~ '{ENTITY_ID_PATTERN}'", name="entity_id_is_a_name"),
    CheckConstraint("deleted = (body IS NULL)", name="entity_tombstone_has_no_body"),
    CheckConstraint("cache_ttl_seconds > 0", name="entity_ttl_is_positive"),
    CheckConstraint(_PARAMETER_IS_TRUE, name="entity_parameter_is_true_to_its_type"),
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
