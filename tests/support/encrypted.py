"""PostgreSQL and Redis of Debian that speak TLS and know users: those of the wheels were built without TLS."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from service.embedded import Postgres, free_port
from service.embedded.discovery import DEBIAN_POSTGRES, PostgresPrograms
from service.embedded.private import TEST_SETTINGS, private_folder
from service.embedded.processes import Launch, spawn
from tests.support.certificates import Certificates, make_certificates

TOKEN = "to/ken@1"  # as an ElastiCache token may be
ESCAPED = "to%2Fken%401"
_ACL = Path(__file__).parents[2] / "deploy/compose/valkey.acl"


class NotInstalledError(Exception):
    """What Debian's package would have brought is not there."""


@dataclass(frozen=True, slots=True)
class EncryptedServers:
    """Certificates are of `localhost`. Both servers let in only who has a password."""

    certificates: Certificates
    postgres: Postgres
    tls_port: int
    """Of Redis."""
    plain_port: int
    """Of Redis; 0: it has none."""

    def database_url(self, query: str, *, host: str = "localhost") -> str:
        return f"postgresql://postgres:{ESCAPED}@{host}:{self.postgres.port}/postgres{query}"

    def redis_url(self, query: str = "", *, scheme: str = "rediss", host: str = "localhost") -> str:
        """Of the user that compose.yaml has, too."""
        return f"{scheme}://aside:{ESCAPED}@{host}:{self.tls_port}/0{query}"

    @property
    def verified(self) -> dict[str, str]:
        """Addresses for a service that believes nobody without a certificate."""
        authority = self.certificates.authority
        return {
            "DATABASE_URL": self.database_url(f"?sslmode=verify-full&sslrootcert={authority}"),
            "REDIS_URL": self.redis_url(f"?ssl_ca_certs={authority}"),
        }

    @property
    def plain(self) -> dict[str, str]:
        """Addresses of the same servers in the clear, of a Redis user who may do everything."""
        return {
            "DATABASE_URL": self.database_url("?sslmode=disable", host="127.0.0.1"),
            "REDIS_URL": f"redis://:{ESCAPED}@127.0.0.1:{self.plain_port}/0",
        }


@contextmanager
def encrypted_servers(
    *, is_plain_too: bool = False, is_durable: bool = False, settings: Mapping[str, str] | None = None
) -> Iterator[EncryptedServers]:
    """Killed at the end. Raises NotInstalledError."""
    with private_folder() as folder, ExitStack() as ends:
        certificates = make_certificates(folder)
        postgres = _postgres(folder, certificates, settings or {}, is_plain_too=is_plain_too, is_durable=is_durable)
        ends.callback(postgres.kill)
        tls_port, plain_port = free_port(), free_port() if is_plain_too else 0
        _redis(folder, certificates, tls_port, plain_port, ends)
        yield EncryptedServers(certificates, postgres.start(), tls_port, plain_port)


def _postgres(
    folder: Path, certificates: Certificates, settings: Mapping[str, str], *, is_plain_too: bool, is_durable: bool
) -> Postgres:
    programs = [found for each in DEBIAN_POSTGRES.glob("*/bin") if (found := PostgresPrograms.inside(each))]
    if not programs:
        raise NotInstalledError("Debian's PostgreSQL is not installed, and that of the wheel knows no TLS")
    rules = folder / "hba.conf"
    rules.write_text(f"{'host' if is_plain_too else 'hostssl'} all all all scram-sha-256\n")
    tls = {
        "ssl": "on",
        "ssl_cert_file": str(certificates.certificate),
        "ssl_key_file": str(certificates.key),
        "hba_file": str(rules),
    }
    return Postgres(
        folder, programs=programs[0], password=TOKEN, is_durable=is_durable,
        settings={**TEST_SETTINGS, **tls, **settings},
    )  # fmt: skip


def _redis(folder: Path, certificates: Certificates, tls_port: int, plain_port: int, ends: ExitStack) -> None:
    program = shutil.which("redis-server")
    if program is None:
        raise NotInstalledError("Debian's redis-server is not installed, and the Valkey of the wheel knows no TLS")
    users, configuration = folder / "users.acl", folder / "redis.conf"
    users.write_text(_users())
    configuration.write_text(
        f'port {plain_port}\ntls-port {tls_port}\ntls-cert-file "{certificates.certificate}"\n'
        f'tls-key-file "{certificates.key}"\ntls-ca-cert-file "{certificates.authority}"\ntls-auth-clients no\n'
        f'bind 127.0.0.1\nsave ""\naclfile "{users}"\ndir "{folder}"\n'
    )
    process = spawn(Launch(argv=[program, configuration], log=folder / "redis.log"))
    ends.callback(process.wait)
    ends.callback(process.send_signal, signal.SIGKILL)


def _users() -> str:
    """The user of compose.yaml and ElastiCache, with somebody beside it who changes its password. Redis knows two of
    the commands from 7.2 on only, and does not start with users who may do what it does not know.
    """
    acl = _ACL.read_text().replace(" +client|setinfo +client|no-touch", "")
    # And the default user, who is all that is known of by whoever has a token and no name.
    acl = re.sub(r"^user default off .*$", f"user default on >{TOKEN} ~* &* +@all", acl, flags=re.MULTILINE)
    return acl.replace("#CACHE_PASSWORD_SHA256", f">{TOKEN}") + "user admin on nopass ~* &* +@all\n"
