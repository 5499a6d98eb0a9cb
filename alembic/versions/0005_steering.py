"""What people steer the cache by: epochs of single types, long pieces of work, and the keys that are read most

A type's epoch stands beside the one of everything: all that is cached of a type is given up by one UPDATE. A job is
kept here, with how far it has come, so that it outlives the process that does it. Hot keys are samples of each
replica, added up when somebody asks.

Revision: 0005
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UP = r"""
CREATE TABLE type_epoch (
    entity_type text COLLATE "C" PRIMARY KEY,
    number      bigint NOT NULL
);

CREATE TABLE job (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind             text NOT NULL CONSTRAINT job_kind_is_known CHECK (kind IN ('warm', 'purge')),
    origin           text NOT NULL CONSTRAINT job_origin_is_known CHECK (origin IN ('request', 'start', 'empty')),
    wanted           jsonb NOT NULL,
    state            text NOT NULL DEFAULT 'queued' CONSTRAINT job_state_is_known
                     CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    progress         jsonb NOT NULL DEFAULT '{}',
    reached          jsonb,
    about            bigint,
    cancel_requested boolean NOT NULL DEFAULT false,
    error            text,
    actor            text,
    runner           text,
    claimed_until    timestamptz NOT NULL DEFAULT '-infinity',
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at       timestamptz,
    finished_at      timestamptz
);

CREATE INDEX job_open ON job (id) WHERE state IN ('queued', 'running');

CREATE INDEX job_finished ON job (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE hot_key (
    replica          text NOT NULL,
    entity_type      text COLLATE "C" NOT NULL,
    id               text COLLATE "C" NOT NULL,
    reads_per_second double precision NOT NULL,
    at               timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (replica, entity_type, id)
);

CREATE INDEX hot_key_at ON hot_key (at);
"""


def execute_all(script: str) -> None:
    """One statement at a time, as the driver wants it: they stand apart by blank lines."""
    for statement in script.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def upgrade() -> None:
    execute_all(UP)


def downgrade() -> None:
    execute_all("DROP TABLE type_epoch, job, hot_key")
