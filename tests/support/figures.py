"""Figures for people: shown by `pytest -s`, and beside the failure of the test that measured them."""

from __future__ import annotations

import sys


def show(*figures: object) -> None:
    sys.stdout.write(" ".join(map(str, figures)) + "\n")
