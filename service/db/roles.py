"""The role that services log in with. Whoever migrates makes it, and gives it what it needs: it owns nothing itself.

A password reaches the server as a SCRAM verifier, which nobody can log in with: it may well be written into a log.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from base64 import b64encode
from hashlib import pbkdf2_hmac, sha256

from service.db.pool import connect, translated
from service.db.revision import VERSION_TABLE
from service.db.sql import sql
from service.db.tables import metadata
from service.errors import InvalidInputError

_LOCK = 0x41736962  # the neighbour of the migrations' lock
_ROUNDS = 4_096  # PostgreSQL's own


def let_serve(url: str, role: str, *, password: str | None = None) -> None:
    """Make ``role`` where it is missing, set its password where one is given, and grant it exactly what serving needs.

    Blocking: call it outside the event loop. Raises DatabaseUnavailableError, InvalidInputError.
    """
    asyncio.run(_let_serve(url, role, None if password is None else verifier(password)))


async def _let_serve(url: str, role: str, verified_by: str | None) -> None:
    with translated():
        connection = await connect(url)
        try:
            async with connection.transaction():
                # One at a time: two that grant on the same table at once would fail.
                await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
                tables = sorted(metadata.tables)
                for record in await connection.fetch(sql("run_time_role"), role, tables, VERSION_TABLE, verified_by):
                    await connection.execute(record["statement"])
        finally:
            await connection.close()


def verifier(password: str, *, salt: bytes | None = None) -> str:
    """What PostgreSQL keeps of a password (RFC 5803). Raises InvalidInputError for signs that need SASLprep."""
    if not password.isascii() or not password.isprintable():
        raise InvalidInputError("the password of a role may have printable ASCII only")
    salt = salt or secrets.token_bytes(16)
    salted = pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS)
    stored = sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${_ROUNDS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _text(raw: bytes) -> str:
    return b64encode(raw).decode()
