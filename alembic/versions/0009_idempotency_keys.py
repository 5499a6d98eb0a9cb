"""Requests that may be sent again: what each has written, noted in the transaction that writes it

So a repeat finds either the write and the note of it, or neither.

Revision: 0009
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UP = (
    r"""
CREATE TABLE idempotency_key (
    client         text COLLATE "C",
    key            text COLLATE "C",
    digest         bytea NOT NULL CONSTRAINT idempotency_key_digest_is_a_sha256 CHECK (octet_length(digest) = 32),
    versions       bigint[] NOT NULL DEFAULT '{}',
    created        boolean[] NOT NULL DEFAULT '{}',
    modified_at_ms bigint[] NOT NULL DEFAULT '{}',
    body           bytea,
    at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (client, key)
)
""",
    "CREATE INDEX idempotency_key_at ON idempotency_key (at)",
)


def upgrade() -> None:
    for statement in UP:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP TABLE idempotency_key")
