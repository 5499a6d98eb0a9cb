"""The Dockerfile's instructions, one by one and in order, each carried out in the root of its stage."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.image.index import Index
from tests.image.mounts import Layer
from tests.support.dockerfile import ROOT, Instruction, stages

_SHELL_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(slots=True)
class Built:
    """``layer`` holds what the last stage adds to the base; the rest is how it wants to be run."""

    layer: Layer
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": _SHELL_PATH})
    user: str = "0:0"
    folder: str = "/"
    entrypoint: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    health: tuple[str, ...] = ()
    stop_signal: str = ""


def build(base: Path, work: Path, index: Index, tell: Callable[[str], None]) -> Built:
    """The image. What ``index`` says is known while commands are run, and in no layer afterwards."""
    named: dict[str, Path] = {}
    for number, (first, *instructions) in enumerate(stages()):
        built = Built(Layer(base, work / f"stage-{number}"))
        with built.layer.mounted() as root, index.known_in(root) as variables:
            for instruction in instructions:
                tell(f"  {instruction.name} {_shortened(instruction.text)}")
                _carry_out(instruction, built, root, named, variables)
        named[first.text.rpartition(" AS ")[2]] = built.layer.own
    return built


def _carry_out(
    instruction: Instruction, built: Built, root: Path, named: Mapping[str, Path], variables: Mapping[str, str]
) -> None:
    name, text = instruction
    if name == "RUN":
        subprocess.run(
            ["chroot", root, "/usr/bin/env", "-i", *_pairs({**built.environment, **variables}), "/bin/sh", "-c", text],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    elif name == "COPY":
        _copy(text, root, named)
    elif name == "ENV":
        for pair in text.split():
            variable, _, value = pair.partition("=")
            built.environment[variable] = value.replace("$PATH", built.environment["PATH"])
    else:
        _note(instruction, built)


def _note(instruction: Instruction, built: Built) -> None:
    """What says how the image is to be run."""
    match instruction:
        case ("USER", text):
            built.user = text
        case ("WORKDIR", text):
            built.folder = text
        case ("ENTRYPOINT", text):
            built.entrypoint = tuple(json.loads(text))
        case ("CMD", text):
            built.arguments = tuple(json.loads(text))
        case ("HEALTHCHECK", text):
            built.health = tuple(json.loads(text.split("CMD ", 1)[1]))
        case ("STOPSIGNAL", text):
            built.stop_signal = text
        case ("EXPOSE", _):
            pass
        case (name, _):
            raise ValueError(f"{name} is in the Dockerfile, and nobody here carries it out")


def _copy(text: str, root: Path, named: Mapping[str, Path]) -> None:
    *options, source, target = text.split()
    [place] = [named[option.removeprefix("--from=")] for option in options] or [ROOT]
    origin, copy = place / source.lstrip("/"), root / target.lstrip("/")
    copy.parent.mkdir(parents=True, exist_ok=True)
    if origin.is_dir():
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc") if place == ROOT else None  # as .dockerignore does
        shutil.copytree(origin, copy, symlinks=True, ignore=ignored, dirs_exist_ok=True)
    else:
        shutil.copy(origin, copy)


def _pairs(variables: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in variables.items()]


def _shortened(text: str) -> str:
    return text if len(text) <= 90 else f"{text[:89]}…"
