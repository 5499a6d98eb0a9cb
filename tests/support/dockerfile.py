"""What a Dockerfile says, instruction by instruction; and the root that it makes, laid out in a folder with no engine.

Its own commands are run, with the folder in front of their paths. Only what needs a network is done another way: the
locked packages are linked from the environment of the tests, each by itself, and nothing besides.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
LOCK = ROOT / "deploy" / "requirements.lock"


class Instruction(NamedTuple):
    name: str
    text: str


def stages(file: Path = DOCKERFILE) -> list[list[Instruction]]:
    """Each begins with its FROM."""
    lines = [line for line in file.read_text().splitlines() if not line.lstrip().startswith("#")]
    found: list[list[Instruction]] = []
    for logical in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if logical.strip():
            name, _, text = logical.partition(" ")
            if name == "FROM":
                found.append([])
            found[-1].append(Instruction(name, text.strip()))
    return found


def locked(file: Path, *, python: str | None = None) -> Iterator[Requirement]:
    """The packages of a lock, each as `name==version`, as far as they are for this platform and a Python."""
    other = None if python is None else {"python_version": python, "python_full_version": f"{python}.0"}
    for line in file.read_text().splitlines():
        if line[:1].isalnum():
            requirement = Requirement(line.rstrip("\\ "))
            if requirement.marker is None or requirement.marker.evaluate(other):
                yield requirement


@dataclass(frozen=True, slots=True)
class Image:
    """A root in a folder. ``command`` is the entry point; ``environment`` all that a process in it sees."""

    folder: Path
    command: tuple[str, ...]
    arguments: tuple[str, ...]
    health: tuple[str, ...]
    environment: dict[str, str]


def lay_out(folder: Path) -> Image:
    """Carry out the Dockerfile; what is in ``folder`` afterwards is what would be in the image beside its base."""
    build, final = stages()
    for name, text in build:
        if name == "COPY":
            source, target = text.split()
            _copy(ROOT / source, Path(inside(folder, target)))
        elif name == "RUN":
            for command in text.split(" && "):
                _run(inside(folder, command), folder)
    said = {name: text for name, text in final if name != "ENV"}
    variables = [text for name, text in final if name == "ENV"]
    environment = dict(pair.split("=", 1) for text in variables for pair in text.split())
    return Image(
        folder,
        command=tuple(json.loads(said["ENTRYPOINT"])),
        arguments=tuple(json.loads(said["CMD"])),
        health=tuple(json.loads(said["HEALTHCHECK"].split("CMD ", 1)[1])),
        environment={
            name: inside(folder, value).replace("$PATH", "/usr/bin:/bin") for name, value in environment.items()
        },
    )


def inside(folder: Path, text: str) -> str:
    """The same text, with the paths of the image in the folder."""
    return re.sub(r"(?<![\w/])/(opt/aside|build|etc/aside)", rf"{folder}/\1", text)


def _run(command: str, folder: Path) -> None:
    if "-m pip" in command:
        _link_packages(folder / "opt" / "aside")
    else:
        named = re.sub(r"^python ", f"{sys.executable} ", command)
        subprocess.run(["/bin/sh", "-c", named], check=True)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _link_packages(environment: Path) -> None:
    [site] = environment.glob("lib/python3*/site-packages")
    for requirement in locked(LOCK):
        package = distribution(requirement.name)
        assert package.version in requirement.specifier, f"{requirement} is locked, {package.version} is here"
        for name in {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}:
            if not (site / name).exists():
                (site / name).symlink_to(Path(str(package.locate_file(name))))
