"""How a load test fails before it has begun."""

from __future__ import annotations

from service.errors import AsideError


class BadOptionError(AsideError):
    """What was asked for makes no sense, or would do harm."""


class UnreachableError(AsideError):
    """There is nobody to load, or not what was expected."""


class BenchFailedError(AsideError):
    """The load could not be made to the end."""
