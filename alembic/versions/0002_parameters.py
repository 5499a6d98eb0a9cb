"""Parameters: entities of a reserved type that say their type truly, keep it, and have a history

Revision: 0002
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FUNCTIONS = r"""
CREATE FUNCTION aside_rfc3339(at timestamptz) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- A parameter as it is served; NULL for a tombstone. `value` comes before whatever else could hold that name.
CREATE FUNCTION aside_parameter(key text, body jsonb, version bigint, at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN body IS NOT NULL THEN format(
        '{"key": "%s", "type": %s, "value": %s, "version": %s, "description": %s, "schema": %s, "ttl_seconds": %s, '
            '"updated_at": "%s", "updated_by": %s}',
        key, body->'type', body->'value', version, coalesce(body->'description', 'null'),
        coalesce(body->'schema', 'null'), coalesce(body->'ttl_seconds', 'null'), aside_rfc3339(at),
        coalesce(body->'updated_by', 'null')) END
$$;

-- What the writer says of itself, for this transaction: {"actor", "reason", "kind", "change_type"}. NULL: plain SQL.
CREATE FUNCTION aside_note() RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT nullif(current_setting('aside.note', true), '')::jsonb
$$;

CREATE FUNCTION aside_actor() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN aside_note() IS NULL THEN 'postgresql:' || session_user ELSE aside_note()->>'actor' END
$$;

-- Under the row lock: a parameter keeps its type unless the writer says otherwise; who wrote it is not for the body to
-- say; and its lifetime is the one in the body.
CREATE FUNCTION aside_stamp_parameter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NOT OLD.deleted AND (OLD.entity_type, OLD.id) = (NEW.entity_type, NEW.id)
            AND OLD.body->>'type' <> NEW.body->>'type'
            AND NOT coalesce((aside_note()->>'change_type')::boolean, false)
        THEN
            RAISE EXCEPTION 'the parameter is of type %', OLD.body->>'type' USING ERRCODE = 'AS409';
        END IF;
    END IF;
    IF jsonb_typeof(NEW.body) = 'object' THEN
        NEW.body := NEW.body || jsonb_build_object('updated_by', aside_actor());
        NEW.cache_ttl_seconds := (NEW.body->>'ttl_seconds')::double precision;
    END IF;
    RETURN NEW;
END $$;

-- Every version, whoever made it, in the transaction that makes it; the one before it is from now on superseded.
CREATE FUNCTION aside_record_parameter() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kind text := 'updated';
BEGIN
    IF NEW.deleted THEN
        kind := 'deleted';
    ELSIF aside_note()->>'kind' IS NOT NULL THEN
        kind := aside_note()->>'kind';
    ELSIF TG_OP = 'INSERT' THEN
        kind := 'created';
    ELSIF OLD.deleted OR (OLD.entity_type, OLD.id) <> (NEW.entity_type, NEW.id) THEN
        kind := 'created';
    END IF;
    UPDATE parameter_version SET superseded_at = NEW.updated_at WHERE key = NEW.id AND superseded_at IS NULL;
    INSERT INTO parameter_version (key, version, kind, body, at, superseded_at, actor, reason)
    VALUES (NEW.id, NEW.version, kind, NEW.body, NEW.updated_at, CASE WHEN NEW.deleted THEN NEW.updated_at END,
            aside_actor(), aside_note()->>'reason');
    RETURN NULL;
END $$;

-- What a TRUNCATE is about to take away was there until now.
CREATE FUNCTION aside_record_truncation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE parameter_version SET superseded_at = clock_timestamp() WHERE superseded_at IS NULL;
    INSERT INTO parameter_version (key, version, kind, at, superseded_at, actor, reason)
    SELECT id, nextval('entity_version'), 'deleted', clock_timestamp(), clock_timestamp(), aside_actor(), 'TRUNCATE'
    FROM entity WHERE entity_type = 'parameter' AND NOT deleted;
    RETURN NULL;
END $$;
"""

TABLES = r"""
-- Of a known type, with a value of that very type, in its one canonical form.
ALTER TABLE entity ADD CONSTRAINT entity_parameter_is_true_to_its_type CHECK (
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
    END, false)
);

CREATE TABLE parameter_version (
    key           text COLLATE "C" NOT NULL,
    version       bigint NOT NULL,
    kind          text NOT NULL,
    body          jsonb,
    at            timestamptz NOT NULL,
    superseded_at timestamptz,
    actor         text,
    reason        text,
    PRIMARY KEY (key, version),
    CONSTRAINT parameter_version_kind_is_known CHECK (kind IN ('created', 'updated', 'deleted', 'rolled_back')),
    CONSTRAINT parameter_version_deletion_has_no_body CHECK ((kind = 'deleted') = (body IS NULL))
);

CREATE UNIQUE INDEX parameter_version_current ON parameter_version (key) WHERE superseded_at IS NULL;

CREATE INDEX parameter_version_superseded ON parameter_version (superseded_at) WHERE superseded_at IS NOT NULL;
"""

TRIGGERS = r"""
CREATE TRIGGER parameter_stamp BEFORE INSERT OR UPDATE ON entity FOR EACH ROW
    WHEN (NEW.entity_type = 'parameter' AND NOT NEW.deleted) EXECUTE FUNCTION aside_stamp_parameter();

CREATE TRIGGER parameter_recorded AFTER INSERT OR UPDATE ON entity FOR EACH ROW
    WHEN (NEW.entity_type = 'parameter') EXECUTE FUNCTION aside_record_parameter();

CREATE TRIGGER parameter_truncated BEFORE TRUNCATE ON entity FOR EACH STATEMENT
    EXECUTE FUNCTION aside_record_truncation();
"""

# What was written before there was a history begins it.
HISTORY = r"""
INSERT INTO parameter_version (key, version, kind, body, at, superseded_at)
SELECT id, version, CASE WHEN deleted THEN 'deleted' ELSE 'created' END, body, updated_at,
       CASE WHEN deleted THEN updated_at END
FROM entity WHERE entity_type = 'parameter';
"""

DOWN = """
DROP TRIGGER parameter_stamp ON entity;

DROP TRIGGER parameter_recorded ON entity;

DROP TRIGGER parameter_truncated ON entity;

ALTER TABLE entity DROP CONSTRAINT entity_parameter_is_true_to_its_type;

DROP TABLE parameter_version;

DROP FUNCTION aside_stamp_parameter, aside_record_parameter, aside_record_truncation, aside_actor, aside_note,
    aside_parameter, aside_rfc3339;
"""


def execute_all(script: str) -> None:
    """One statement at a time, as the driver wants it: they stand apart by blank lines."""
    for statement in script.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def upgrade() -> None:
    for script in (FUNCTIONS, TABLES, TRIGGERS, HISTORY):
        execute_all(script)


def downgrade() -> None:
    execute_all(DOWN)
