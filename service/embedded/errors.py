"""What can go wrong with a server of our own. Each text is meant for the person at the terminal: it says what to do."""

from __future__ import annotations

from service.errors import AsideError


class EmbeddedError(AsideError):
    """A PostgreSQL or Valkey that Aside should start itself is not to be had."""


class ProgramNotFoundError(EmbeddedError):
    """None of the places searched holds the program."""


class ServerStartError(EmbeddedError):
    """The program is there, but did not become a server that answers."""


class FolderInUseError(EmbeddedError):
    """Another process keeps its data in this folder."""


class WrongPostgresVersionError(EmbeddedError):
    """The data was made by another major version of PostgreSQL, which this one cannot read."""
