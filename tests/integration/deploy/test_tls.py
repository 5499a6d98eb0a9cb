"""TLS, users and passwords to both servers, with certificates of an authority of our own; and passwords that rotate."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest
from redis.asyncio import Redis

from service.cache.lane import CacheExchangeError, Lane, connector
from service.db.migrations import upgrade
from service.db.pool import connect
from service.embedded import Postgres, free_port
from service.embedded.discovery import DEBIAN_POSTGRES, PostgresPrograms
from service.embedded.private import TEST_SETTINGS, private_folder
from service.embedded.processes import Launch, spawn
from tests.support.certificates import Certificates, make_certificates
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually

TOKEN = "to/ken@1"  # as an ElastiCache token may be
ESCAPED = "to%2Fken%401"
ENCRYPTED = """
SELECT array_agg(DISTINCT ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
WHERE backend_type = 'client backend'"""
UNTRUSTED = ssl.SSLCertVerificationError
BOOK = "/v1/entities/book/dune"


@dataclass(frozen=True, slots=True)
class Servers:
    """Both speak TLS only, and only to those who log in."""

    certificates: Certificates
    other_authority: Path
    postgres: Postgres
    redis_port: int

    def database_url(self, query: str, *, host: str = "localhost") -> str:
        return f"postgresql://postgres:{ESCAPED}@{host}:{self.postgres.port}/postgres{query}"

    def redis_url(self, query: str = "", *, scheme: str = "rediss", host: str = "localhost") -> str:
        return f"{scheme}://aside:{ESCAPED}@{host}:{self.redis_port}/0{query}"


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with private_folder() as folder:
        (other := folder / "other").mkdir()
        certificates = make_certificates(folder)
        postgres = _postgres(folder, certificates)
        port, redis = _redis(folder, certificates)
        try:
            yield Servers(certificates, make_certificates(other).authority, postgres.start(), port)
        finally:
            postgres.kill()
            redis.send_signal(signal.SIGKILL)
            redis.wait()


def _postgres(folder: Path, certificates: Certificates) -> Postgres:
    programs = [found for each in DEBIAN_POSTGRES.glob("*/bin") if (found := PostgresPrograms.inside(each))]
    assert programs, "Debian's PostgreSQL is not installed, and that of the wheel knows no TLS"
    rules = folder / "hba.conf"
    rules.write_text("hostssl all all all scram-sha-256\n")
    settings = {
        "ssl": "on",
        "ssl_cert_file": str(certificates.certificate),
        "ssl_key_file": str(certificates.key),
        "hba_file": str(rules),
    }
    return Postgres(
        folder, programs=programs[0], password=TOKEN, is_durable=False, settings={**TEST_SETTINGS, **settings}
    )


def _redis(folder: Path, certificates: Certificates) -> tuple[int, subprocess.Popen[bytes]]:
    program = shutil.which("redis-server")
    assert program is not None, "Debian's redis-server is not installed, and the Valkey of the wheel knows no TLS"
    port = free_port()
    users = folder / "users.acl"
    # The user of compose.yaml and ElastiCache, with somebody beside it who changes its password. Redis knows two of the
    # commands from 7.2 on only, and does not start with users who may do what it does not know.
    acl = (Path(__file__).parents[3] / "deploy/compose/valkey.acl").read_text()
    acl = acl.replace(" +client|setinfo +client|no-touch", "")
    # And the default user, who is all that is known of by whoever has a token and no name.
    acl = re.sub(r"^user default off .*$", f"user default on >{TOKEN} ~* &* +@all", acl, flags=re.MULTILINE)
    users.write_text(acl.replace("#CACHE_PASSWORD_SHA256", f">{TOKEN}") + "user admin on nopass ~* &* +@all\n")
    configuration = folder / "redis.conf"
    configuration.write_text(
        f'port 0\ntls-port {port}\ntls-cert-file "{certificates.certificate}"\ntls-key-file "{certificates.key}"\n'
        f'tls-ca-cert-file "{certificates.authority}"\ntls-auth-clients no\nbind 127.0.0.1\nsave ""\n'
        f'aclfile "{users}"\ndir "{folder}"\n'
    )
    return port, spawn(Launch(argv=[program, configuration], log=folder / "redis.log"))


async def is_hit(client: httpx.AsyncClient) -> bool:
    answer = await client.get(BOOK)
    return answer.status_code == 200 and answer.headers["Cache-Status"].startswith("aside; hit")


async def is_applied(client: httpx.AsyncClient) -> bool:
    answer = await client.put(BOOK, json={"title": "Dune, again"})
    return answer.headers.get("Aside-Cache") == "applied"


async def test_the_service_works_through_tls_and_takes_a_password_that_is_rotated(servers: Servers, tmp_path: Path):
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
    admin = Redis(host="localhost", port=servers.redis_port, username="admin", password="any", ssl=True,
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
async def test_the_wrong_postgresql_is_refused(servers: Servers, query, host, error):
    authorities = {"ours": servers.certificates.authority, "other": servers.other_authority}
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
async def test_the_wrong_redis_is_refused(servers: Servers, scheme, query, host):
    authorities = {"ours": servers.certificates.authority, "other": servers.other_authority}
    url = servers.redis_url(query.format(**authorities), scheme=scheme, host=host)
    lane = Lane(connector(url), timeout_seconds=5)
    with pytest.raises(CacheExchangeError) as refused:
        await lane.call("PING")
    assert refused.value.kind == "connection"
    await lane.close()


@pytest.mark.parametrize("name", ["aside", ""], ids=["a user", "a token without a name"])
async def test_the_right_redis_is_not(servers: Servers, name: str):
    url = servers.redis_url(f"?ssl_ca_certs={servers.certificates.authority}").replace("//aside:", f"//{name}:")
    lane = Lane(connector(url), timeout_seconds=5)
    assert await lane.call("PING") in {b"PONG", "PONG"}
    await lane.close()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
@pytest.mark.parametrize("query", ["?sslmode=require", "?sslmode=verify-ca&sslrootcert={ours}", ""])
async def test_postgresql_is_found_by_each_form_of_its_url(servers: Servers, scheme, query):
    url = servers.database_url(query.format(ours=servers.certificates.authority))
    connection = await connect(url.replace("postgresql", scheme, 1))
    assert await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    await connection.close()
