"""Entities with versions and tombstones, the changes made to them, the ledger of heartbeats, the epoch

Revision: 0001
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = r"""
CREATE SEQUENCE entity_version AS bigint MAXVALUE 9007199254740991;

CREATE TABLE entity (
    entity_type       text COLLATE "C" NOT NULL,
    id                text COLLATE "C" NOT NULL,
    body              jsonb,
    version           bigint NOT NULL,
    deleted           boolean NOT NULL DEFAULT false,
    cache_ttl_seconds double precision,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    PRIMARY KEY (entity_type, id),
    CONSTRAINT entity_type_is_a_name CHECK (entity_type ~ '^[a-z][a-z0-9_-]{0,62}$'),
    CONSTRAINT entity_id_is_a_name CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9._~:@-]{0,254}$'),
    CONSTRAINT entity_tombstone_has_no_body CHECK (deleted = (body IS NULL)),
    CONSTRAINT entity_ttl_is_positive CHECK (cache_ttl_seconds > 0)
);

CREATE INDEX entity_tombstones ON entity (updated_at) WHERE deleted;

CREATE TABLE change (
    version     bigint PRIMARY KEY,
    xid         xid8 NOT NULL DEFAULT pg_current_xact_id(),
    entity_type text COLLATE "C" NOT NULL,
    id          text COLLATE "C" NOT NULL,
    at          timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX change_xid ON change (xid);

CREATE TABLE epoch (
    id     integer PRIMARY KEY CONSTRAINT epoch_is_one_row CHECK (id = 1),
    number bigint NOT NULL
);

INSERT INTO epoch VALUES (1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint);

CREATE TABLE ledger (
    id            integer PRIMARY KEY CONSTRAINT ledger_is_one_row CHECK (id = 1),
    term          bigint NOT NULL DEFAULT 0,
    run_id        text,
    granted_until timestamptz NOT NULL DEFAULT 'epoch',
    bound_seconds double precision NOT NULL DEFAULT 0,
    generation    text,
    applied       text,
    pruned_xid    xid8 NOT NULL DEFAULT '0'
) WITH (fillfactor = 20);

INSERT INTO ledger (id) VALUES (1);
"""

FUNCTIONS = r"""
-- A row's version is taken here, and nowhere else: a BEFORE UPDATE trigger runs once the row is locked, so versions
-- grow in the order of commits. A tombstone gives way to an INSERT, so that plain DELETE and INSERT go on working.
CREATE FUNCTION aside_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT NEW.deleted AND (
        TG_OP = 'INSERT' OR (OLD.entity_type, OLD.id) IS DISTINCT FROM (NEW.entity_type, NEW.id)
    ) AND EXISTS (
        SELECT FROM entity e WHERE e.entity_type = NEW.entity_type AND e.id = NEW.id AND e.deleted
    ) THEN
        PERFORM set_config('aside.bury', 'off', true);
        DELETE FROM entity e WHERE e.entity_type = NEW.entity_type AND e.id = NEW.id AND e.deleted;
        PERFORM set_config('aside.bury', 'on', true);
    END IF;
    NEW.version := nextval('entity_version');
    NEW.updated_at := clock_timestamp();
    IF TG_OP = 'INSERT' THEN
        NEW.created_at := NEW.updated_at;
    ELSIF OLD.deleted AND NOT NEW.deleted THEN
        NEW.created_at := NEW.updated_at;
    ELSE
        NEW.created_at := OLD.created_at;
    END IF;
    IF NEW.deleted THEN
        NEW.body := NULL;
        NEW.cache_ttl_seconds := NULL;
    END IF;
    RETURN NEW;
END $$;

-- Every change, whoever made it, in the transaction that makes it.
CREATE FUNCTION aside_note_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO change (version, entity_type, id) SELECT version, entity_type, id FROM written;
    RETURN NULL;
END $$;

-- A row that a plain DELETE, or an UPDATE of its key, takes away leaves a tombstone, so that a version never goes back.
CREATE FUNCTION aside_bury() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('aside.bury', true) = 'off' THEN
        RETURN NULL;
    END IF;
    INSERT INTO entity (entity_type, id, deleted) VALUES (OLD.entity_type, OLD.id, true);
    RETURN NULL;
END $$;

-- What a TRUNCATE took away cannot be told one by one: all that was cached belongs to a past epoch. Its number is taken
-- from the clock, so that a database set back to an earlier state never uses one a second time.
CREATE FUNCTION aside_next_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE epoch SET number = greatest(number + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint);
    RETURN NULL;
END $$;

-- Names the history that versions belong to. Another cluster, timeline, database or table, as after a failover or
-- a restore, is another generation, and so is every epoch: entries of two generations are not comparable.
CREATE FUNCTION aside_generation() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT left(md5(concat_ws('/',
        (SELECT system_identifier FROM pg_control_system()),
        left(pg_walfile_name(pg_current_wal_lsn()), 8),
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        'entity'::regclass::oid)), 10) || '.' || (SELECT number FROM epoch)
$$;

-- RFC 7396. Set-based, so that a patch of many names costs its size, not its square.
CREATE FUNCTION aside_merge_patch(target jsonb, patch jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF jsonb_typeof(patch) <> 'object' THEN
        RETURN patch;
    END IF;
    IF target IS NULL OR jsonb_typeof(target) <> 'object' THEN
        target := '{}';
    END IF;
    RETURN (
        SELECT coalesce(jsonb_object_agg(key, CASE
                   WHEN p.value IS NULL THEN t.value
                   WHEN jsonb_typeof(p.value) = 'object' THEN aside_merge_patch(t.value, p.value)
                   ELSE p.value END), '{}')
        FROM jsonb_each(target) t FULL JOIN jsonb_each(patch) p USING (key)
        WHERE p.value IS NULL OR jsonb_typeof(p.value) <> 'null'
    );
END $$;

CREATE FUNCTION aside_bounded(document jsonb, max_bytes integer) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF octet_length(document::text) > max_bytes THEN
        RAISE EXCEPTION 'the document would exceed % bytes', max_bytes USING ERRCODE = 'AS413';
    END IF;
    RETURN document;
END $$;
"""

TRIGGERS = r"""
CREATE TRIGGER entity_stamp BEFORE INSERT OR UPDATE ON entity FOR EACH ROW EXECUTE FUNCTION aside_stamp();

CREATE TRIGGER entity_inserted AFTER INSERT ON entity REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION aside_note_changes();

CREATE TRIGGER entity_updated AFTER UPDATE ON entity REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION aside_note_changes();

CREATE TRIGGER entity_deleted AFTER DELETE ON entity FOR EACH ROW EXECUTE FUNCTION aside_bury();

CREATE TRIGGER entity_renamed AFTER UPDATE ON entity FOR EACH ROW
    WHEN ((OLD.entity_type, OLD.id) IS DISTINCT FROM (NEW.entity_type, NEW.id)) EXECUTE FUNCTION aside_bury();

CREATE TRIGGER entity_truncated AFTER TRUNCATE ON entity FOR EACH STATEMENT EXECUTE FUNCTION aside_next_epoch();

CREATE TRIGGER change_truncated AFTER TRUNCATE ON change FOR EACH STATEMENT EXECUTE FUNCTION aside_next_epoch();
"""

DOWN = """
DROP TABLE entity, change, epoch, ledger;

DROP SEQUENCE entity_version;

DROP FUNCTION aside_stamp, aside_note_changes, aside_bury, aside_next_epoch, aside_generation,
    aside_merge_patch, aside_bounded;
"""


def execute_all(script: str) -> None:
    """One statement at a time, as the driver wants it: they stand apart by blank lines."""
    for statement in script.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def upgrade() -> None:
    for script in (TABLES, FUNCTIONS, TRIGGERS):
        execute_all(script)


def downgrade() -> None:
    execute_all(DOWN)
