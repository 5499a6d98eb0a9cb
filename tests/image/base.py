"""A stand-in for the image's base: the same release of Debian, by debootstrap, with the Python of it: the same version.

It is laid out as the base is: `python` and pip in /usr/local. What differs is who compiled Python.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.support.dockerfile import stages

_FROM = re.compile(r"python:(?P<python>3\.[0-9]+)-slim-(?P<release>[a-z]+)( AS [a-z]+)?")
_LOCAL = Path("usr/local")


class Base(NamedTuple):
    python: str
    release: str


def named_base() -> Base:
    """What all stages begin with, as the Dockerfile names it."""
    found = {_FROM.fullmatch(stage[0].text) for stage in stages()}
    names = {(match["python"], match["release"]) for match in found if match is not None}
    assert None not in found, "a stage begins with something else than a slim image of Python"
    assert len(names) == 1, f"the stages begin with different images: {names}"
    return Base(*names.pop())


def make_base(root: Path, base: Base, *, mirror: str) -> None:
    """Fetch and install it; ``root`` is there afterwards, whole, or not at all. Raises CalledProcessError."""
    making = root.with_name(f"{root.name}.making")
    making.mkdir(parents=True)
    what = ["--variant=minbase", "--include=python3,python3-pip-whl,ca-certificates", base.release]
    subprocess.run(
        ["debootstrap", *what, making, *([mirror] if mirror else [])], check=True, capture_output=True, text=True
    )
    (making / "usr/bin" / f"python{base.python}").stat()  # Debian's is of that version, or the stand-in is none
    _lay_out_like_the_image(making, base)
    making.rename(root)


def _lay_out_like_the_image(root: Path, base: Base) -> None:
    library = root / _LOCAL / "lib" / f"python{base.python}"
    for folder in ("site-packages", "dist-packages"):
        (library / folder).mkdir(parents=True, exist_ok=True)
    (library / "dist-packages/base.pth").write_text(f"/{_LOCAL}/lib/python{base.python}/site-packages\n")
    [wheel] = (root / "usr/share/python-wheels").glob("pip-*.whl")
    subprocess.run(["python3", "-m", "zipfile", "-e", wheel, library / "site-packages"], check=True)
    wheel.unlink()  # pip is where the image has it, and nowhere else
    commands = root / _LOCAL / "bin"
    (commands / "python").symlink_to(f"/usr/bin/python{base.python}")
    (commands / "pip").write_text('#!/bin/sh\nexec /usr/local/bin/python -m pip "$@"\n')
    (commands / "pip").chmod(0o755)
