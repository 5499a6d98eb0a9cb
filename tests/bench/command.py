"""Commands of `aside` that others are measured with, or that are measured themselves: run as a user runs them."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from tests.bench.cores import pin
from tests.support.service_process import OURS, ROOT


class NoSuchCommandError(Exception):
    """This checkout has no such command."""


@functools.cache
def has(name: str) -> bool:
    """Whether `aside` knows the command."""
    answer = subprocess.run(_argv(name, "--help"), env=_environment({}), capture_output=True, check=False)
    return answer.returncode == 0


def run(
    *arguments: str, environment: Mapping[str, str], cores: frozenset[int], timeout_seconds: float
) -> dict[str, Any]:
    """The JSON object that it prints. Raises NoSuchCommandError; RuntimeError with what it said if it fails."""
    if not has(arguments[0]):
        raise NoSuchCommandError(f"`aside {arguments[0]}` is not there")
    process = subprocess.Popen(
        _argv(*arguments), env=_environment(environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        pin(process.pid, cores)
        said, complained = process.communicate(timeout=timeout_seconds)
    finally:
        process.kill()
        process.wait()
    if process.returncode != 0:
        raise RuntimeError(f"`aside {' '.join(arguments)}` ended with {process.returncode}: {complained.strip()}")
    answer: dict[str, Any] = json.loads(said)
    return answer


def _argv(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "service", *arguments]


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**inherited, "PYTHONPATH": str(ROOT), **given}
