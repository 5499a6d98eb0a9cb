"""Roots out of layers, as an engine makes them: what is below stays as it is, what is written lies on top."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


class Layer:
    """What one stage adds to its base: `own` holds it, and nothing of the base."""

    def __init__(self, base: Path, folder: Path) -> None:
        self.own = folder / "own"
        self._base = base
        self._work = folder / "work"
        self._root = folder / "root"
        for each in (self.own, self._work, self._root):
            each.mkdir(parents=True)

    @contextmanager
    def mounted(self, *, read_only_with: Path | None = None) -> Iterator[Path]:
        """Base and layer as one root. ``read_only_with`` lies above both; then there is nowhere to write to."""
        layers = f"lowerdir={self._base},upperdir={self.own},workdir={self._work}"
        options = layers if read_only_with is None else f"ro,lowerdir={read_only_with}:{self.own}:{self._base}"
        with ExitStack() as mounts:
            mount(mounts, "overlay", self._root, "-t", "overlay", "-o", options)
            mount(mounts, "proc", self._root / "proc", "-t", "proc")
            yield self._root


def mount(mounts: ExitStack, source: str | Path, target: Path, *options: str) -> None:
    """Mount, and unmount when ``mounts`` ends."""
    subprocess.run(["mount", *options, source, target], check=True)
    mounts.callback(subprocess.run, ["umount", "--lazy", target], check=True)
