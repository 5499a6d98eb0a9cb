"""API keys: what each may do, until when, who made it, and what became of it

As with policies, one number, the edition, moves with every change, in the order of commits: whoever has seen one has
seen all before it. When a key was last used is no change.

Of one name at most two keys are live: a second one only as the successor of the first. The count is taken under the
lock of the edition, so two at the same time are counted one after the other.

Revision: 0008
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = r"""
CREATE TABLE api_key_edition (
    id     integer PRIMARY KEY CONSTRAINT api_key_edition_is_one_row CHECK (id = 1),
    number bigint NOT NULL DEFAULT 0,
    at     timestamptz NOT NULL DEFAULT clock_timestamp()
);

INSERT INTO api_key_edition (id) VALUES (1);

CREATE TABLE api_key (
    id           text COLLATE "C" PRIMARY KEY,
    name         text COLLATE "C" NOT NULL
                 CONSTRAINT api_key_name_is_a_name CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
    digest       bytea NOT NULL CONSTRAINT api_key_digest_is_unique UNIQUE
                 CONSTRAINT api_key_digest_is_a_sha256 CHECK (octet_length(digest) = 32),
    scopes       text[] NOT NULL CONSTRAINT api_key_may_do_something CHECK (cardinality(scopes) > 0),
    replaces     text COLLATE "C",
    created_at   timestamptz NOT NULL,
    created_by   text,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz
);

CREATE INDEX api_key_of_name ON api_key (name);

CREATE TABLE api_key_event (
    number bigint PRIMARY KEY,
    key_id text COLLATE "C" NOT NULL,
    kind   text NOT NULL CONSTRAINT api_key_event_kind_is_known
           CHECK (kind IN ('created', 'changed', 'revoked', 'removed')),
    said   jsonb NOT NULL,
    at     timestamptz NOT NULL,
    actor  text,
    reason text
);

CREATE INDEX api_key_event_of_key ON api_key_event (key_id, number);
"""

FUNCTIONS = r"""
-- Before a statement looks at any row, and so before it locks one: see 0006.
CREATE FUNCTION aside_hold_api_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM api_key_edition FOR UPDATE;
    RETURN NULL;
END $$;

CREATE FUNCTION aside_next_api_key_edition() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    UPDATE api_key_edition SET number = number + 1, at = clock_timestamp() RETURNING number
$$;

CREATE FUNCTION aside_stamp_api_key() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    live integer;
BEGIN
    NEW.created_at := clock_timestamp();
    NEW.created_by := aside_actor();
    SELECT count(*) INTO live FROM api_key AS k
    WHERE k.name = NEW.name AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp());
    IF live > (NEW.replaces IS NOT NULL)::integer THEN
        RAISE EXCEPTION 'of % there are % live keys', NEW.name, live USING ERRCODE = 'ASK09';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION aside_record_api_key() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kind text := CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'DELETE' THEN 'removed' ELSE 'changed' END;
    key api_key := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL THEN
            kind := 'revoked';
        END IF;
    END IF;
    INSERT INTO api_key_event (number, key_id, kind, said, at, actor, reason)
    VALUES (aside_next_api_key_edition(), key.id, kind, to_jsonb(key) - '{id,digest,last_used_at}'::text[],
            clock_timestamp(), aside_actor(), aside_note()->>'reason');
    RETURN NULL;
END $$;

CREATE FUNCTION aside_record_api_key_truncation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO api_key_event (number, key_id, kind, said, at, actor, reason)
    SELECT aside_next_api_key_edition(), id, 'removed', to_jsonb(k) - '{id,digest,last_used_at}'::text[],
           clock_timestamp(), aside_actor(), 'TRUNCATE'
    FROM api_key AS k;
    RETURN NULL;
END $$;
"""

TRIGGERS = r"""
CREATE TRIGGER api_key_held
    BEFORE INSERT OR UPDATE OF id, name, digest, scopes, replaces, expires_at, revoked_at OR DELETE ON api_key
    FOR EACH STATEMENT EXECUTE FUNCTION aside_hold_api_keys();

CREATE TRIGGER api_key_stamp BEFORE INSERT ON api_key FOR EACH ROW EXECUTE FUNCTION aside_stamp_api_key();

CREATE TRIGGER api_key_recorded
    AFTER INSERT OR UPDATE OF id, name, digest, scopes, replaces, expires_at, revoked_at OR DELETE ON api_key
    FOR EACH ROW EXECUTE FUNCTION aside_record_api_key();

CREATE TRIGGER api_key_truncated BEFORE TRUNCATE ON api_key
    FOR EACH STATEMENT EXECUTE FUNCTION aside_record_api_key_truncation();
"""

DOWN = """
DROP TABLE api_key, api_key_event, api_key_edition;

DROP FUNCTION aside_hold_api_keys, aside_next_api_key_edition, aside_stamp_api_key, aside_record_api_key,
    aside_record_api_key_truncation;
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
