"""`python -m tests.image`: makes the image in a clean Debian, runs it, prints what that proves. 1 if anything fails.

All mounts and processes are in namespaces of their own, which end with this program, however it ends.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from service.embedded.private import private_folder

_SECONDS = 3_600
"""Most of it is waiting for Debian and for the index of packages."""
_PROGRAMS = {"debootstrap": "debootstrap", "unshare": "util-linux", "setpriv": "util-linux", "chroot": "coreutils"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make image-root", description=__doc__)
    parser.add_argument(
        "--base",
        type=Path,
        metavar="FOLDER",
        help="keep the Debian that is made first there, and take it the next time",
    )
    parser.add_argument("--mirror", default="", metavar="URL", help="of Debian's packages; else debootstrap's own")
    arguments = parser.parse_args()
    missing = sorted({package for program, package in _PROGRAMS.items() if shutil.which(program) is None})
    if os.geteuid() != 0 or missing:
        what = f"the Debian packages {' '.join(missing)}" if missing else "root, who alone may mount"
        Console(stderr=True).print(f"make image-root needs {what}.")
        return 2
    with private_folder() as folder:
        base = (arguments.base or folder / "base").absolute()
        done = subprocess.run(
            ["setpriv", "--pdeathsig", "KILL",
             "unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc",
             sys.executable, "-m", "tests.image.inside", str(folder), str(base), arguments.mirror],
            timeout=_SECONDS, check=False,
        )  # fmt: skip
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
