"""TLS, users and passwords to both servers, with certificates of an authority of our own; and passwords that rotate."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest
from redis.asyncio import Redis

from service.cache.lane import CacheExchangeError, Lane, connector
from service.db.migrations import upgrade
from service.db.pool import connect
from service.embedded.private import private_folder
from tests.support.certificates import make_certificates
from tests.support.encrypted import ESCAPED, TOKEN, EncryptedServers, encrypted_servers
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually

ENCRYPTED = """
SELECT array_agg(DISTINCT ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
WHERE backend_type = 'client backend'"""
BOOK = "/v1/entities/book/dune"


@pytest.fixture(scope="module")
def servers() -> Iterator[EncryptedServers]:
    """Both speak TLS only."""
    with encrypted_servers() as servers:
        yield servers


@pytest.fixture(scope="module")
def other_authority() -> Iterator[Path]:
    with private_folder() as folder:
        yield make_certificates(folder).authority


async def is_hit(client: httpx.AsyncClient) -> bool:
    answer = await client.get(BOOK)
    return answer.status_code == 200 and answer.headers["Cache-Status"].startswith("aside; hit")


async def is_applied(client: httpx.AsyncClient) -> bool:
    answer = await client.put(BOOK, json={"title": "Dune, again"})
    return answer.headers.get("Aside-Cache") == "applied"


async def test_the_service_works_through_tls_and_takes_a_password_that_is_rotated(
    servers: EncryptedServers, tmp_path: Path
):
    authority = servers.certificates.authority
    for name in ("database", "redis"):
        (tmp_path / name).write_text(f"{TOKEN}\n")
    variables = {
        "DATABASE_URL": servers.database_url(f"?sslmode=verify-full&sslrootcert={authority}").replace(ESCAPED, ""),
        "DATABASE_PASSWORD_FILE": str(tmp_path / "database"),
        "REDIS_URL": servers.redis_url(f"?ssl_ca_certs={authority}").replace(ESCAPED, ""),
        "REDIS_PASSWORD_FILE": str(tmp_path / "redis"),
    }
    await asyncio.to_thread(upgrade, servers.database_url(f"?sslmode=verify-full&sslrootcert={authority}"))
    replica = ServiceProcess(tmp_path / "log", variables).launch().wait_until_live(60)
    owner = await connect(servers.database_url("?sslmode=require"))
    admin = Redis(host="localhost", port=servers.tls_port, username="admin", password="any", ssl=True,
                  ssl_ca_certs=str(authority))  # fmt: skip
    try:
        async with httpx.AsyncClient(base_url=replica.url, trust_env=False, timeout=10) as client:
            assert (await client.put(BOOK, json={"title": "Dune"})).status_code == 201

            await eventually(lambda: is_hit(client), within_seconds=20)
            assert await owner.fetchval(ENCRYPTED) == [True]
            for name in ("database", "redis"):
                (tmp_path / name).write_text("rotated\n")
            await owner.execute("ALTER ROLE postgres PASSWORD 'rotated'")
            await owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'aside' AND pid <> pg_backend_pid()"
            )
            await admin.execute_command("ACL SETUSER", "aside", "resetpass", ">rotated")
            await admin.execute_command("CLIENT KILL", "USER", "aside")
            await eventually(lambda: is_applied(client), within_seconds=20)
            await eventually(lambda: is_hit(client), within_seconds=20)
    finally:
        replica.kill()
        await owner.execute(f"ALTER ROLE postgres PASSWORD '{TOKEN}'")
        await admin.execute_command("ACL SETUSER", "aside", "resetpass", f">{TOKEN}")
        await owner.close()
        await admin.aclose()


@pytest.mark.parametrize(
    ("query", "host", "error"),
    [
        pytest.param(
            "?sslmode=verify-full&sslrootcert={other}", "localhost", ssl.SSLCertVerificationError, id="authority"
        ),
        pytest.param("?sslmode=verify-full&sslrootcert={ours}", "127.0.0.1", ssl.SSLCertVerificationError, id="name"),
        pytest.param("?sslmode=disable", "localhost", asyncpg.InvalidAuthorizationSpecificationError, id="no TLS"),
    ],
)
async def test_the_wrong_postgresql_is_refused(servers: EncryptedServers, other_authority: Path, query, host, error):
    authorities = {"ours": servers.certificates.authority, "other": other_authority}
    with pytest.raises(error):
        await connect(servers.database_url(query.format(**authorities), host=host))


@pytest.mark.parametrize(
    ("scheme", "query", "host"),
    [
        pytest.param("rediss", "?ssl_ca_certs={other}", "localhost", id="authority"),
        pytest.param("rediss", "?ssl_ca_certs={ours}", "127.0.0.1", id="name"),
        pytest.param("rediss", "", "localhost", id="an authority that nobody knows"),
        pytest.param("redis", "", "localhost", id="no TLS"),
    ],
)
async def test_the_wrong_redis_is_refused(servers: EncryptedServers, other_authority: Path, scheme, query, host):
    authorities = {"ours": servers.certificates.authority, "other": other_authority}
    url = servers.redis_url(query.format(**authorities), scheme=scheme, host=host)
    lane = Lane(connector(url), timeout_seconds=5)
    with pytest.raises(CacheExchangeError) as refused:
        await lane.call("PING")
    assert refused.value.kind == "connection"
    await lane.close()


@pytest.mark.parametrize("name", ["aside", ""], ids=["a user", "a token without a name"])
async def test_the_right_redis_is_not(servers: EncryptedServers, name: str):
    url = servers.redis_url(f"?ssl_ca_certs={servers.certificates.authority}").replace("//aside:", f"//{name}:")
    lane = Lane(connector(url), timeout_seconds=5)
    assert await lane.call("PING") in {b"PONG", "PONG"}
    await lane.close()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
@pytest.mark.parametrize("query", ["?sslmode=require", "?sslmode=verify-ca&sslrootcert={ours}", ""])
async def test_postgresql_is_found_by_each_form_of_its_url(servers: EncryptedServers, scheme, query):
    url = servers.database_url(query.format(ours=servers.certificates.authority))
    connection = await connect(url.replace("postgresql", scheme, 1))
    assert await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    await connection.close()
