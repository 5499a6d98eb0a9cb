"""Policies of entity types, set at run time, and what they were

One number, the edition, moves with every change of any policy. Its row is locked before a policy's is, by a trigger of
the statement, so editions grow in the order of commits: whoever has seen one has seen all before it, and has missed
nothing as long as it stays where it is.

Revision: 0006
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = r"""
CREATE TABLE policy_edition (
    id     integer PRIMARY KEY CONSTRAINT policy_edition_is_one_row CHECK (id = 1),
    number bigint NOT NULL DEFAULT 0,
    at     timestamptz NOT NULL DEFAULT clock_timestamp()
);

INSERT INTO policy_edition (id) VALUES (1);

CREATE TABLE policy (
    entity_type            text COLLATE "C" PRIMARY KEY
                           CONSTRAINT policy_entity_type_is_a_name CHECK (entity_type ~ '^[a-z][a-z0-9_-]{0,62}$'),
    strategy               text NOT NULL CONSTRAINT policy_strategy_is_known
                           CHECK (strategy IN ('cache_aside', 'write_through')),
    ttl_seconds            double precision NOT NULL,
    jitter                 double precision NOT NULL,
    negative_ttl_seconds   double precision NOT NULL,
    stale_if_error_seconds double precision NOT NULL,
    early_refresh_beta     double precision NOT NULL,
    version                bigint NOT NULL,
    updated_at             timestamptz NOT NULL,
    updated_by             text,
    CONSTRAINT policy_lifetimes_are_finite CHECK (
        ttl_seconds > 0 AND ttl_seconds < 'Infinity'
        AND negative_ttl_seconds > 0 AND negative_ttl_seconds < 'Infinity'
        AND stale_if_error_seconds >= 0 AND stale_if_error_seconds < 'Infinity'
    ),
    CONSTRAINT policy_shares_are_bounded CHECK (
        jitter BETWEEN 0 AND 0.5 AND early_refresh_beta BETWEEN 0 AND 10
    )
);

CREATE TABLE policy_version (
    version     bigint PRIMARY KEY,
    entity_type text COLLATE "C" NOT NULL,
    kind        text NOT NULL CONSTRAINT policy_version_kind_is_known CHECK (kind IN ('set', 'removed')),
    members     jsonb,
    at          timestamptz NOT NULL,
    actor       text,
    reason      text,
    CONSTRAINT policy_version_removal_has_no_members CHECK ((kind = 'removed') = (members IS NULL))
);

CREATE INDEX policy_version_of_type ON policy_version (entity_type, version);
"""

FUNCTIONS = r"""
-- Before a statement looks at any row, and so before it locks one: two writers of one policy never wait for each other.
CREATE FUNCTION aside_hold_edition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM policy_edition FOR UPDATE;
    RETURN NULL;
END $$;

CREATE FUNCTION aside_next_edition() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    UPDATE policy_edition SET number = number + 1, at = clock_timestamp() RETURNING number
$$;

CREATE FUNCTION aside_stamp_policy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := aside_next_edition();
    NEW.updated_at := clock_timestamp();
    NEW.updated_by := aside_actor();
    RETURN NEW;
END $$;

CREATE FUNCTION aside_record_policy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND OLD.entity_type <> NEW.entity_type) THEN
        INSERT INTO policy_version (version, entity_type, kind, at, actor, reason)
        VALUES (aside_next_edition(), OLD.entity_type, 'removed', clock_timestamp(), aside_actor(),
                aside_note()->>'reason');
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO policy_version (version, entity_type, kind, members, at, actor, reason)
        VALUES (NEW.version, NEW.entity_type, 'set',
                to_jsonb(NEW) - '{entity_type,version,updated_at,updated_by}'::text[],
                NEW.updated_at, NEW.updated_by, aside_note()->>'reason');
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION aside_record_policy_truncation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO policy_version (version, entity_type, kind, at, actor, reason)
    SELECT aside_next_edition(), entity_type, 'removed', clock_timestamp(), aside_actor(), 'TRUNCATE' FROM policy;
    RETURN NULL;
END $$;
"""

TRIGGERS = r"""
CREATE TRIGGER policy_held BEFORE INSERT OR UPDATE OR DELETE ON policy
    FOR EACH STATEMENT EXECUTE FUNCTION aside_hold_edition();

CREATE TRIGGER policy_stamp BEFORE INSERT OR UPDATE ON policy FOR EACH ROW EXECUTE FUNCTION aside_stamp_policy();

CREATE TRIGGER policy_recorded AFTER INSERT OR UPDATE OR DELETE ON policy
    FOR EACH ROW EXECUTE FUNCTION aside_record_policy();

CREATE TRIGGER policy_truncated BEFORE TRUNCATE ON policy
    FOR EACH STATEMENT EXECUTE FUNCTION aside_record_policy_truncation();
"""

DOWN = """
DROP TABLE policy, policy_version, policy_edition;

DROP FUNCTION aside_hold_edition, aside_next_edition, aside_stamp_policy, aside_record_policy,
    aside_record_policy_truncation;
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
