"""Sends structlog's events and the standard library's records through one chain to stderr."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor

from service.logs.redaction import describe_exception, hide_secrets

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["json", "console"]

_TALKATIVE = ("sqlalchemy", "alembic", "httpx", "httpcore", "asyncio", "uvicorn.access")
"""Below a warning these tell statements with their parameters, paths with their queries, or nothing of use."""


def configure_logging(level: Level, log_format: Format) -> None:
    """Set up all logging of this process. May be called again; the last call holds. To be called by whoever owns the
    process, in each worker, with the server's own configuration of logging switched off.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_common(),
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # loggers are made at import, before this is called
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(log_format))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        # With a handler in reach the server writes a line for every request, for nobody.
        logger.propagate = name != "uvicorn.access"
    logging.captureWarnings(capture=True)


def _common() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(log_format: Format) -> logging.Formatter:
    renderer: Processor
    if log_format == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    else:
        renderer = structlog.processors.JSONRenderer()
    return ProcessorFormatter(
        foreign_pre_chain=[*_common(), _first_line_only],
        processors=[
            ProcessorFormatter.remove_processors_meta,
            describe_exception,
            hide_secrets,
            renderer,
        ],
    )


def _first_line_only(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The further lines of a library's message quote objects: asyncio's, for one, the repr of a lost exception."""
    event["event"] = event["event"].partition("\n")[0]
    return event
