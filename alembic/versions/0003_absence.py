"""An absent row has a version too: that of the TRUNCATE that may have taken it away

Without one, nothing says that "there is no such row" is newer than a version that was committed before the TRUNCATE,
and told to the cache after it.

Revision: 0003
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE epoch ADD COLUMN truncated_version bigint NOT NULL DEFAULT 0;

-- TRUNCATE holds its lock until the end: whatever has a lower version is gone, all that comes later gets a higher one.
CREATE FUNCTION aside_entities_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE epoch SET number = greatest(number + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint),
                     truncated_version = nextval('entity_version');
    RETURN NULL;
END $$;

DROP TRIGGER entity_truncated ON entity;

CREATE TRIGGER entity_truncated AFTER TRUNCATE ON entity FOR EACH STATEMENT EXECUTE FUNCTION aside_entities_truncated();
"""

DOWN = """
DROP TRIGGER entity_truncated ON entity;

CREATE TRIGGER entity_truncated AFTER TRUNCATE ON entity FOR EACH STATEMENT EXECUTE FUNCTION aside_next_epoch();

DROP FUNCTION aside_entities_truncated;

ALTER TABLE epoch DROP COLUMN truncated_version;
"""


def execute_all(script: str) -> None:
    """One statement at a time, as the driver wants it: they stand apart by blank lines."""
    for statement in script.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def upgrade() -> None:
    execute_all(UP)


def downgrade() -> None:
    execute_all(DOWN)
