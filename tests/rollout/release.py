"""The release before, taken out of the history of this repository, and run with the Python of the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from service.db.migrations import head
from tests.support.service_process import OURS, ROOT

PREVIOUS_COMMIT = "60aa3f9e3996cc515666364f76a99cc000199970"
"""The last commit that was released. Whoever releases the next one, writes it here: an upgrade is tested from what
people run. Its schema must be older than today's, or there is no upgrade to be tested."""
_ASKING = "import service, service.db.migrations as m; print(service.__file__, m.head(), sep='\\n')"


class HistoryMissingError(Exception):
    """This checkout has no history that goes back to the release before: a tarball, or a shallow clone."""


@dataclass(frozen=True, slots=True)
class Release:
    """Code in a folder, with its own `service` and `alembic`; ``schema`` is the revision that it expects."""

    name: str
    folder: Path
    schema: str

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.folder)}


CURRENT = Release("new", ROOT, head())


def previous(folder: Path, *, repository: Path = ROOT, commit: str = PREVIOUS_COMMIT) -> Release:
    """Unpack it. Raises HistoryMissingError, and fails unless it is really that code which is imported from there."""
    found = subprocess.run(["git", "-C", repository, "archive", commit, "service", "alembic"],
                           capture_output=True, check=False)  # fmt: skip
    if found.returncode:
        raise HistoryMissingError(
            f"THE UPGRADE CANNOT BE TESTED: the release before, {commit}, is not in the history of {repository}."
            f" A shallow clone gets it by `git fetch --unshallow`; a tarball has none."
            f" git said: {found.stderr.decode(errors='replace').strip()}"
        )
    with tarfile.open(fileobj=BytesIO(found.stdout)) as archive:
        archive.extractall(folder, filter="data")
    file, schema = asked(folder)
    assert Path(file).is_relative_to(folder), f"{file} was imported, which is not the release before"
    assert schema < CURRENT.schema, f"its schema is {schema}, today's {CURRENT.schema}: there is no upgrade"
    return Release("old", folder, schema)


def is_there(*, repository: Path = ROOT, commit: str = PREVIOUS_COMMIT) -> bool:
    """Whether this checkout's history goes back to it."""
    asking = ["git", "-C", repository, "cat-file", "-e", f"{commit}^{{commit}}"]
    return shutil.which("git") is not None and subprocess.run(asking, capture_output=True, check=False).returncode == 0


def asked(folder: Path) -> tuple[str, str]:
    """Which file `service` is for processes that run in the environment of a release, and its schema."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    said = subprocess.run([sys.executable, "-c", _ASKING], cwd="/", env={**inherited, "PYTHONPATH": str(folder)},
                          capture_output=True, text=True, check=True)  # fmt: skip
    file, schema = said.stdout.split()
    return file, schema
