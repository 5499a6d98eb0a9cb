"""What PostgreSQL has committed, from PostgreSQL itself: a trigger of the campaign notes each state of each key."""

from __future__ import annotations

import asyncpg

from tests.chaos.checking import EVERYTHING
from tests.chaos.observation import Row

_SCHEMA = """
CREATE TABLE chaos_truth (
    version bigint PRIMARY KEY,
    xid     xid8 NOT NULL DEFAULT pg_current_xact_id(),
    key     text NOT NULL,
    deleted boolean NOT NULL,
    digest  text NOT NULL DEFAULT '',
    mark    text NOT NULL DEFAULT ''
);
CREATE INDEX chaos_truth_xid ON chaos_truth (xid);

CREATE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.deleted THEN
        INSERT INTO chaos_truth (version, key, deleted)
        VALUES (NEW.version, NEW.entity_type || ':' || NEW.id, true);
    ELSIF NEW.entity_type = 'parameter' THEN
        INSERT INTO chaos_truth (version, key, deleted, digest, mark)
        VALUES (NEW.version, NEW.entity_type || ':' || NEW.id, false,
                md5(aside_parameter(NEW.id, NEW.body, NEW.version, NEW.updated_at)), NEW.body->>'value');
    ELSE
        INSERT INTO chaos_truth (version, key, deleted, digest, mark)
        VALUES (NEW.version, NEW.entity_type || ':' || NEW.id, false, md5(NEW.body::text),
                coalesce(NEW.body->>'mark', ''));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_note AFTER INSERT OR UPDATE ON entity FOR EACH ROW EXECUTE FUNCTION chaos_note();

-- Nobody else writes while a TRUNCATE holds its lock: whatever got a lower version is gone, all later gets a higher.
CREATE FUNCTION chaos_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chaos_truth (version, key, deleted) VALUES (nextval('entity_version'), '*', true);
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_truncated AFTER TRUNCATE ON entity FOR EACH STATEMENT EXECUTE FUNCTION chaos_truncated();
"""
# As the relay asks for changes: what this snapshot sees and the last one did not, whatever the order of commits.
_NEWS = """
SELECT s.horizon::text AS horizon, t.version, t.key, t.deleted, t.digest, t.mark
FROM (SELECT pg_current_snapshot() AS horizon) s
LEFT JOIN LATERAL (
    SELECT * FROM chaos_truth
    WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot)
) t ON true
ORDER BY t.version
"""
assert EVERYTHING == "*"


async def install(connection: asyncpg.Connection) -> None:
    await connection.execute(_SCHEMA)


class Truth:
    """Reads on from where it was, over a connection of the caller's."""

    def __init__(self) -> None:
        self._horizon = "1:1:"

    async def news(self, connection: asyncpg.Connection) -> list[Row]:
        """All states committed before this is called, and not told yet, in the order of versions."""
        records = await connection.fetch(_NEWS, self._horizon)
        self._horizon = records[0]["horizon"]
        return [Row(version, *rest) for _, version, *rest in records if version is not None]
