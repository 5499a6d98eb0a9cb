"""The Lua scripts, as files beside this one; `entry.lua` is put before each."""

from __future__ import annotations

from importlib.resources import files


def _source(name: str) -> bytes:
    """The script with the shared part between its shebang line (which must stay first) and its body."""
    folder = files(__name__)
    shebang, _, body = folder.joinpath(f"{name}.lua").read_text().partition("\n")
    shared = folder.joinpath("entry.lua").read_text()
    return f"{shebang}\n{shared}\n{body}".encode()


SOURCES: dict[str, bytes] = {name: _source(name) for name in ("lease", "fill", "apply", "grant")}
"""What every connection leaves with its server, so that a call is a name."""
SWEEP = _source("sweep")
