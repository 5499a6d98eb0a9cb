"""The service that is loaded: where it listens, and how requests name it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from service.bench.errors import BadOptionError

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    host: str
    port: int
    is_tls: bool
    authority: str
    """For the header Host."""
    api_key: str | None = field(default=None, repr=False)
    prefix: str = ""
    """What the URL's path puts before every path; with no slash at the end."""

    @property
    def headers(self) -> dict[str, str]:
        """What each request says beside Host."""
        return {} if self.api_key is None else {"Authorization": f"Bearer {self.api_key}"}

    @property
    def url(self) -> str:
        return f"{'https' if self.is_tls else 'http'}://{self.authority}{self.prefix}"


def parse_target(url: str, *, api_key: str | None = None) -> Target:
    """`http://host:8000`, or https, perhaps with a path. Raises BadOptionError."""
    if api_key is not None and not (api_key.isascii() and api_key.isprintable()):
        raise BadOptionError("what was given as API key is none")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadOptionError(f"{url!r} is no URL: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname or not _is_plain(url, parts):
        raise BadOptionError(f"{url!r} is no URL that can be loaded; http://127.0.0.1:8000 is one")
    return Target(
        host=parts.hostname,
        port=_PORTS[parts.scheme] if port is None else port,
        is_tls=parts.scheme == "https",
        authority=parts.netloc,
        prefix=parts.path.rstrip("/"),
        api_key=api_key or None,
    )


def _is_plain(url: str, parts: SplitResult) -> bool:
    """Nothing that a request line or a header could not hold, and no password, which would be shown."""
    return url.isascii() and url.isprintable() and " " not in url and not (parts.query or parts.fragment or "@" in url)
