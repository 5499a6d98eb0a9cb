"""How this machine reaches the index of packages, for the pip that builds the image; never what is to be installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.image.mounts import mount

_OF_THE_WAY = ("index-url", "proxy", "trusted-host", "default-timeout", "timeout", "retries")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


class Index:
    """``settings`` are by pip's own names, and those that say what to install are passed over."""

    def __init__(self, settings: dict[str, str], proxies: dict[str, str]) -> None:
        self._certificate = settings.get("cert")
        self._variables = proxies | {
            f"PIP_{name.upper().replace('-', '_')}": settings[name] for name in _OF_THE_WAY if name in settings
        }

    @contextmanager
    def known_in(self, root: Path) -> Iterator[dict[str, str]]:
        """Variables for what runs in ``root``. The file lies in memory there, beside all layers."""
        variables = dict(self._variables)
        with ExitStack() as mounts:
            mount(mounts, "tmpfs", root / "run", "-t", "tmpfs")
            if self._certificate is not None:
                shutil.copy(self._certificate, root / "run/authorities.pem")
                variables["PIP_CERT"] = "/run/authorities.pem"
            yield variables


def index_of_this_machine() -> Index:
    """Out of the variables and files that any pip here would read."""
    pip = shutil.which("pip3") or shutil.which("pip")
    lines = _said_by(pip) if pip is not None else []
    settings = {}
    for line in lines:  # variables come before files, and win
        name, _, value = line.partition("=")
        settings.setdefault(name.rpartition(".")[2], value.strip("'\""))
    return Index(settings, {name: os.environ[name] for name in _PROXIES if name in os.environ})


def _said_by(pip: str) -> list[str]:
    done = subprocess.run([pip, "config", "list"], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()
