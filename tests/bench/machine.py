"""What it was measured on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

from service.embedded.discovery import find_postgres, find_valkey
from tests.bench.contestants import APPS, WEBDIS
from tests.bench.servers import version_of


def machine() -> dict[str, Any]:
    """``load_at_start`` well above 0 says that somebody else was at work."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": f"{platform.system()} {platform.release()}",
        "load_at_start": os.getloadavg()[0],
    }


def versions() -> dict[str, str]:
    """Of all that takes part, by name."""
    ours = {
        name: importlib.metadata.version(name)
        for name in ("fastapi", "uvicorn", "uvloop", "httptools", "asyncpg", "redis")
    }
    peers = {app.package: version_of(app.package) for app in APPS.values() if app.package is not None}
    return {
        "Python": platform.python_version(), "PostgreSQL": _said(str(find_postgres().postgres), "--version"),
        "Valkey": _said(str(find_valkey()), "--version"), **ours, **peers,
        "wrk": _package("wrk"), WEBDIS: _package("webdis"),
    }  # fmt: skip


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _package(name: str) -> str:
    """Debian's version; these two programs do not tell their own in a way that others could read."""
    if shutil.which(name) is None:
        return "not installed"
    if shutil.which("dpkg-query") is None:
        return "unknown"
    return _said("dpkg-query", "--show", "--showformat=${Version}", name) or "unknown"


def _said(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
