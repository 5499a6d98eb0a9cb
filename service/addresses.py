"""Where a server is, and the password to it: out of variables, or out of files that may change while the service runs.

A password that is rotated in its file is used by the next connection: those that are open go on, and nothing restarts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit


@dataclass(frozen=True, slots=True)
class Address:
    """What the variables say of one server. A file goes before the text, a password before the one in the URL."""

    url: str = field(repr=False)
    url_file: Path | None = None
    password: str | None = field(default=None, repr=False)
    password_file: Path | None = None

    def __call__(self) -> str:
        """The URL as it is now, its password included. Raises OSError where a file cannot be read, or is empty."""
        url = self.url if self.url_file is None else secret_in(self.url_file)
        password = self.password if self.password_file is None else secret_in(self.password_file)
        return url if password is None else with_password(url, password)

    @property
    def may_change(self) -> bool:
        """True where some of it is in a file."""
        return self.url_file is not None or self.password_file is not None


def secret_in(file: Path) -> str:
    """The text of a file, less the line end that editors leave. Raises OSError, also where there is none."""
    text = file.read_text(encoding="utf-8", errors="strict").strip()
    if not text:
        raise OSError(f"{file} is empty")
    return text


def with_password(url: str, password: str) -> str:
    """The same URL with this password, whatever signs there are in it, in place of the one that it had, if any."""
    netloc = urlsplit(url).netloc
    credentials, at, place = netloc.rpartition("@")
    user = credentials.partition(":")[0] if at else ""
    return url.replace(f"//{netloc}", f"//{user}:{quote(password, safe='')}@{place}", 1)


def is_readable(url: str) -> bool:
    """Whether everybody reads the same hosts, ports and password in it. What ends the password early is %-encoded."""
    try:
        parts = urlsplit(url)
        for place in parts.netloc.rpartition("@")[2].split(","):
            _ = urlsplit(f"//{place}").port
    except ValueError:
        return False
    # A /, ? or # in a password ends what is before the path, and the @ is left behind.
    return parts.scheme == "unix" or "@" not in parts.path + parts.fragment + parts.query.partition("=")[0]


def without_credentials(url: str) -> str:
    """The same URL with neither user nor password."""
    netloc = urlsplit(url).netloc
    return url.replace(f"//{netloc}", f"//{netloc.rpartition('@')[2]}", 1)
