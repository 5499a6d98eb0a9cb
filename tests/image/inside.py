"""What `make image-root` does inside its namespaces: `python -m tests.image.inside FOLDER BASE MIRROR`."""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from tests.image.base import make_base, named_base
from tests.image.build import build
from tests.image.index import index_of_this_machine
from tests.image.mounts import mount
from tests.image.proofs import Tell, prove_contents, prove_running
from tests.support.compose import Volumes
from tests.support.compose_servers import compose_postgres, compose_valkey, prepare

_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS = 0x8914
_UP_AND_RUNNING = 0x1 | 0x40


def main() -> int:
    folder, base_folder, mirror = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    console, began = Console(), time.monotonic()

    def tell(what: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f} s  {what}", highlight=False, markup=False, soft_wrap=True)

    (memory := folder / "memory").mkdir()
    with ExitStack() as mounts:
        mount(mounts, "tmpfs", memory, "-t", "tmpfs", "-o", "size=2g,mode=755")
        try:
            work(memory, memory / "base" if base_folder == folder / "base" else base_folder, mirror, tell)
        except subprocess.CalledProcessError as error:
            tell(f"{error}\n{error.stdout or ''}{error.stderr or ''}")
            return 1
        except AssertionError as error:
            tell(f"NOT PROVEN: {error}")
            return 1
    tell("all of it is proven")
    return 0


def work(memory: Path, base_folder: Path, mirror: str, tell: Tell) -> None:
    base = named_base()
    if not base_folder.exists():
        tell(f"debootstrap makes a Debian {base.release} with its Python …")
        make_base(base_folder, base, mirror=mirror)
    tell(f"Debian {base.release} with Python {base.python} stands in for the base image; the Dockerfile:")
    built = build(base_folder, memory / "layers", index_of_this_machine(), tell)
    tell("every instruction is carried out, the packages by their hashes from the index")
    prove_contents(built, memory, tell)
    _leave_the_network()
    (memory / "volumes").mkdir()
    volumes = Volumes(memory / "volumes")
    done = prepare(volumes)
    assert done.returncode == 0, done.stderr
    with compose_postgres(volumes), compose_valkey(volumes):
        prove_running(built, volumes, tell)


def _leave_the_network() -> None:
    """From here on there is nothing but a loopback of our own: the image's port is free, and nobody else is there."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "no network of our own")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", _UP_AND_RUNNING))


if __name__ == "__main__":
    sys.exit(main())
