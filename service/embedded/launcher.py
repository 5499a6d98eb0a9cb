"""Becomes a server: gives up root, ties its life to its parent's, then replaces itself with the program.

Run as a script, by path, in a bare interpreter (`-I -S`): it may import nothing but the standard library. A program of
its own, and not a `preexec_fn`, because Python code between fork and exec is unsafe in a process that has threads.

    python -I -S launcher.py '{"parent": 1, "death_signal": 9, "unprivileged": false, "owned": null}' program argument…
"""

from __future__ import annotations

import ctypes
import json
import os
import pwd
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1


def main() -> None:
    order = json.loads(sys.argv[1])
    program = sys.argv[2:]
    if order["unprivileged"] and _must_change_user():
        _change_user(order["owned"])
    # A change of user clears the death signal: it is set last.
    _die_with(order["parent"], order["death_signal"])
    try:
        os.execv(program[0], program)  # noqa: S606 (no shell is the point)
    except OSError as error:
        sys.exit(f"{program[0]} cannot be run by user {os.geteuid()}: {error.strerror}; is a folder above it closed?")


def _must_change_user() -> bool:
    """PostgreSQL refuses to run as root, and as a user whom the machine has no name for."""
    if os.geteuid() == 0:
        return True
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return True
    return False


def _change_user(owned: str | None) -> None:
    owner = os.stat(owned).st_uid if owned is not None else 0  # noqa: PTH116 (bare and quick)
    if os.geteuid() == 0 and owner != 0:
        # Somebody else's data, from an earlier run: it stays theirs.
        _become(pwd.getpwuid(owner), owned)
    elif not _enter_user_namespace():
        if os.geteuid() != 0:
            sys.exit(f"user {os.geteuid()} has no name on this machine, and PostgreSQL insists on one")
        _become(_somebody(), owned)


def _somebody() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        return next(entry for entry in pwd.getpwall() if entry.pw_uid != 0)


def _enter_user_namespace() -> bool:
    """Be somebody else inside a namespace and still ourselves outside: no file has to change its owner.

    False where a container forbids it.
    """
    if sys.platform != "linux":
        return False
    inside, outside_uid, outside_gid = _somebody(), os.geteuid(), os.getegid()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
        return False
    try:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{inside.pw_uid} {outside_uid} 1")
        _write("/proc/self/gid_map", f"{inside.pw_gid} {outside_gid} 1")
    except OSError as error:
        sys.exit(f"a user namespace was made, but its users cannot be set: {error}")
    return True


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _become(user: pwd.struct_passwd, owned: str | None) -> None:
    if owned is not None:
        for folder, _, files in os.walk(owned):
            for path in (folder, *(os.path.join(folder, name) for name in files)):  # noqa: PTH118 (bare and quick)
                if os.lstat(path).st_uid != user.pw_uid:
                    os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    if owned is not None and not os.access(owned, os.R_OK | os.W_OK | os.X_OK):
        sys.exit(
            f"{owned} is out of reach for {user.pw_name}: a folder above it is closed. Work as a plain user instead"
        )


def _die_with(parent: int, death_signal: int) -> None:
    """Have the kernel send ``death_signal`` when the parent ends, even by SIGKILL. Linux alone can do that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        sys.exit("the parent ended before its server began")


if __name__ == "__main__":
    main()
