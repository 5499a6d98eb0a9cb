"""The role that services log in with: what `aside migrate --run-time-role` gives it, and all that it may not do."""

import asyncpg
import pytest

from service.db.revision import VERSION_TABLE
from service.db.sql import sql
from service.db.tables import metadata
from tests.support.aside_command import aside

ROLE = "aside serves"  # a name that has to be quoted
FORBIDDEN = (
    "CREATE TABLE mine (n int)",
    "DROP TABLE entity",
    "TRUNCATE entity",
    "ALTER TABLE entity DISABLE TRIGGER USER",
    "UPDATE aside_schema_version SET version_num = '0000'",
    "SELECT setval('entity_version', 1)",
    "CREATE ROLE another",
    "COPY entity TO PROGRAM 'cat'",
)


@pytest.fixture
async def owner(empty_database_url):
    """The connection of whoever owns the schema; the role, which all databases of a server share, is dropped again."""
    connection = await asyncpg.connect(empty_database_url)
    yield connection
    await connection.execute(f'DROP OWNED BY "{ROLE}"; DROP ROLE "{ROLE}"')
    await connection.close()


async def migrate(url: str, **variables: str):
    return await aside("migrate", DATABASE_URL=url, ASIDE_RUN_TIME_ROLE=ROLE, **variables)


async def test_it_may_do_what_serving_needs_and_nothing_else(owner, empty_database_url):
    ended = await migrate(empty_database_url)
    assert ended.exit_code == 0, ended.stderr
    assert f"The role {ROLE} may serve." in ended.stdout
    url = empty_database_url.replace("postgres@", f"{ROLE.replace(' ', '%20')}@")
    role = await asyncpg.connect(url)
    try:
        assert await role.fetch(sql("doctor_rights"), list(metadata.tables), VERSION_TABLE) == []
        for statement in FORBIDDEN:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await role.execute(statement)
    finally:
        await role.close()


async def test_the_next_migration_sets_right_what_others_gave_it_and_its_password(owner, empty_database_url, tmp_path):
    await migrate(empty_database_url)
    await owner.execute(f'GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO "{ROLE}"')
    (tmp_path / "password").write_text("pencil 'n' paper\n")
    ended = await migrate(empty_database_url, ASIDE_RUN_TIME_PASSWORD_FILE=str(tmp_path / "password"))
    assert ended.exit_code == 0, ended.stderr
    granted = await owner.fetch(
        "SELECT table_name, string_agg(privilege_type, ' ' ORDER BY privilege_type) AS rights "
        "FROM information_schema.role_table_grants WHERE grantee = $1 GROUP BY table_name",
        ROLE,
    )
    expected = dict.fromkeys(metadata.tables, "DELETE INSERT SELECT UPDATE") | {VERSION_TABLE: "SELECT"}
    assert {row["table_name"]: row["rights"] for row in granted} == expected
    kept = await owner.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = $1", ROLE)
    assert kept.startswith("SCRAM-SHA-256$4096:")
