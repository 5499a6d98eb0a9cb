"""The command line: reads the settings, says what is wrong with them, and hands over. `main` is the entry point."""

from service.cli.commands import app as main

__all__ = ["main"]
