"""One log for everything: an event and its fields per line, as JSON on stderr. Never a payload, never a password."""

from service.logs.configuration import configure_logging
from service.logs.redaction import redact_url

__all__ = ["configure_logging", "redact_url"]
