"""What compose.yaml says, read for a machine without an engine: folders in place of volumes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def mounts(service: str) -> dict[str, str]:
    """Of one service: from each path in its container to the volume, or the file here, that is seen there."""
    found = {}
    for mount in SERVICES[service].get("volumes", ()):
        source, target = mount.split(":")[:2]
        found[target] = source
    return found


class Volumes:
    """A folder for each volume, at the place where `prepare` sees it below ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders = {name: root / target.lstrip("/") for target, name in mounts("prepare").items()}
        for name, folder in self._folders.items():
            if not name.startswith("."):
                folder.mkdir(parents=True)

    def __getitem__(self, volume: str) -> Path:
        return self._folders[volume]

    def seen_by(self, service: str, text: str) -> str:
        """A text with paths in that service's container, as it has to be here."""
        places = {target: self._place(source) for target, source in mounts(service).items()}
        targets = sorted(places, key=len, reverse=True)  # all in one go: a folder's own path may look like a target
        return re.sub("|".join(map(re.escape, targets)), lambda found: places[found[0]], text) if targets else text

    def _place(self, source: str) -> str:
        return str(ROOT / source if source.startswith(".") else self._folders.get(source, source))

    def environment(self, service: str) -> dict[str, str]:
        """The variables of a service."""
        given = SERVICES[service]["environment"]
        return {name: self.seen_by(service, value) for name, value in given.items()}
