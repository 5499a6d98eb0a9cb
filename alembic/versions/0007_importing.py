"""How far the import of each file has come, noted in the transaction that writes its rows

So a chunk and the note of it are there together, or neither is, wherever the import was killed.

Revision: 0007
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UP = r"""
CREATE TABLE import_progress (
    source        text PRIMARY KEY,
    records       bigint NOT NULL,
    lines         bigint NOT NULL,
    bytes         bigint NOT NULL,
    digest        text NOT NULL,
    rejects_bytes bigint NOT NULL,
    at            timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(UP)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP TABLE import_progress")
