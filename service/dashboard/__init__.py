"""The files of the page at /dashboard, served as they are: nothing is built, nothing comes from another host."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
