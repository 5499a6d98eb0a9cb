"""What `make run` does: servers of our own unless URLs are given, then the service on top of them, then a banner."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from service.cli.refusals import read_settings
from service.cli.serving import listening, serve, stopping_on_signals
from service.embedded import LocalStack
from service.settings import Settings


def run_dev(folder: Path, *, started_at: float) -> None:
    """Serve until a signal, and leave nothing running. ``started_at`` is a reading of `time.monotonic`."""
    os.environ.setdefault("ASIDE_MIGRATE_ON_START", "true")
    os.environ.setdefault("ASIDE_LOG_FORMAT", "console")
    console = Console(soft_wrap=True, highlight=False)
    # First of all whatever can be refused at once.
    settings = read_settings()
    stack = LocalStack(
        folder,
        with_postgres=not (os.environ.get("DATABASE_URL") or settings.database_url_file),
        with_valkey=not (os.environ.get("REDIS_URL") or settings.redis_url_file),
    )
    try:
        with listening(settings) as listeners, stopping_on_signals():
            if stack.is_wanted:
                console.print(f"Starting servers, with the data in {escape(str(stack.folder))} …")
                stack.start()
            if stack.postgres is not None:
                os.environ.setdefault("ASIDE_EXAMPLE_ENTITY", "true")
            for name, server in (("DATABASE_URL", stack.postgres), ("REDIS_URL", stack.valkey)):
                if server is not None:
                    os.environ[name] = server.url

            def announce() -> None:
                console.print(_banner(settings, stack, listeners[0]))
                console.print(f"Ready after {time.monotonic() - started_at:.1f} s. [bold]Ctrl-C stops everything.[/]\n")

            serve(read_settings(), listeners, on_ready=announce)
    finally:
        stack.stop()
    console.print("Stopped.")


def _banner(settings: Settings, stack: LocalStack, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 (compared, not bound)
    base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    operators = base if settings.admin_port is None else f"http://{settings.admin_host}:{settings.admin_port}"
    lines = {
        "Aside": base,
        "Try it out": f"{operators}/docs",
        "Dashboard": f"{operators}/dashboard",
        "Metrics": f"{operators}/metrics",
        "PostgreSQL": f"psql '{stack.postgres.url}'" if stack.postgres else "given by DATABASE_URL",
        "Valkey": f"port {stack.valkey.port}" if stack.valkey else "given by REDIS_URL",
    }
    if stack.is_wanted:
        lines["Data"] = str(stack.folder)
    return "\n".join(f"  [bold]{label:<11}[/] {escape(text)}" for label, text in lines.items())
