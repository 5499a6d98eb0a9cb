"""One command to a Valkey, over a socket of its own: no client library between the test and the server."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit


def command(url: str, *words: str, timeout_seconds: float = 5.0) -> str | None:
    """Send one command; returns its simple or bulk reply, None for nil. Raises RuntimeError for an error reply."""
    address = urlsplit(url)
    commands = [("AUTH", address.password), words] if address.password else [words]
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=timeout_seconds) as connection:
        for each in commands:
            connection.sendall(_encoded(each))
        with connection.makefile("rb") as stream:
            for _ in commands[1:]:
                stream.readline()
            line = stream.readline().decode().rstrip()
            if line.startswith("-"):
                raise RuntimeError(line[1:])
            if line.startswith("$"):
                length = int(line[1:])
                return None if length < 0 else stream.read(length).decode()
            return line[1:]


def _encoded(words: tuple[str, ...]) -> bytes:
    parts = [f"*{len(words)}"]
    for word in words:
        parts += [f"${len(word.encode())}", word]
    return "".join(f"{part}\r\n" for part in parts).encode()
