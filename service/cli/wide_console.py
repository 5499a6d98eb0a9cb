"""Where tables are printed: as wide as the terminal; and where there is none, wide enough for their lines."""

from __future__ import annotations

import sys

from rich.console import Console

_WIDE = 200


def wide_console() -> Console:
    """Texts are shown as they are: `cache:book:dune` has no emoji in it."""
    return Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else _WIDE)
