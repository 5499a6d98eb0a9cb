"""What is claimed of the image, each claim held against a root that was really made and a process that really runs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from tests.image.base import named_base
from tests.image.build import Built
from tests.image.container import Container, Process, container
from tests.support.compose import SERVICES, Volumes
from tests.support.dockerfile import LOCK, locked

Tell = Callable[[str], None]

_BOOK = "/v1/entities/book/dune"
_PATIENCE_SECONDS = 300
_MIB = 1 << 20
_NO_RIGHTS = "0" * 16
_CONTENTS = """
import importlib.metadata, importlib.util, json, pathlib, shutil, sys
print(json.dumps({
    "packages": {each.metadata["Name"].lower().replace("_", "-"): each.version
                 for each in importlib.metadata.distributions(path=[p for p in sys.path if p.startswith("/opt/")])},
    "pip": importlib.util.find_spec("pip") is not None or shutil.which("pip"),
    "compilers": [name for name in ("cc", "gcc", "make") if shutil.which(name)],
    "uncompiled": [str(file) for file in pathlib.Path("/opt/aside").rglob("*.py")
                   if not pathlib.Path(importlib.util.cache_from_source(file)).exists()],
}))
"""


def prove_contents(built: Built, memory: Path, tell: Tell) -> None:
    """What is in it, and what is not."""
    (nothing := memory / "nothing").mkdir()
    with built.layer.mounted(read_only_with=nothing) as root:
        done = Container(root, built).execute("python", "-c", _CONTENTS)
        assert done.returncode == 0, done.stderr
        seen = json.loads(done.stdout)
    lock = locked(LOCK, python=named_base().python)
    wanted = {requirement.name: str(requirement.specifier).removeprefix("==") for requirement in lock}
    assert seen["packages"] == wanted, f"other packages than the locked ones: {seen['packages']}"
    assert not seen["pip"], "pip is still there"
    assert seen["compilers"] == [], f"there are compilers: {seen['compilers']}"
    assert seen["uncompiled"] == [], f"Python would write at run time: {seen['uncompiled']}"
    tell(f"the {len(wanted)} locked packages are in it, compiled ahead; no pip, no compiler")
    sizes = {name: _size(built.layer.own / name) for name in ("opt/aside", "opt/aside/app")}
    tell(f"/opt/aside has {sizes['opt/aside'] / _MIB:.0f} MiB, {sizes['opt/aside/app'] / _MIB:.1f} of them Aside's own;"
         f" the image has {_size(built.layer.own) / _MIB:.0f} above its base")  # fmt: skip


def prove_running(built: Built, volumes: Volumes, tell: Tell) -> None:
    """How it behaves, on the sockets and secrets that compose.yaml hands to it."""
    with container(built, volumes, "migrate") as migration:
        variables = SERVICES["migrate"]["environment"]
        done = migration.run(*SERVICES["migrate"]["command"], **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        tell("`aside migrate` ends with 0: the schema, and the role of the replicas")
    with container(built, volumes, "aside") as replica:
        before = set(_entries(replica.root))
        _refuses(replica, tell)
        _cannot_write(replica, tell)
        key = _key(replica, tell)
        with replica.started(volumes.root / "replica.log", **SERVICES["aside"]["environment"]) as process:
            _serves(process, replica, key, tell)
            code = process.end(built.stop_signal, within_seconds=60)
            assert code == 0, f"{built.stop_signal} ended it with {code}:\n{process.log}"
        tell(f"{built.stop_signal} ends it with 0, as the first process of its container")
        assert set(_entries(replica.root)) == before, "something was written outside of /tmp"
        tell(f"its root is as it was: {len(before)} files and folders, their sizes and times")


def _refuses(replica: Container, tell: Tell) -> None:
    done = replica.run()
    said = done.stdout + done.stderr
    assert done.returncode != 0, "it starts with no word of its servers"
    assert "DATABASE_URL is not set" in said, said
    assert "REDIS_URL is not set" in said, said
    unsafe = {"DATABASE_URL": "postgresql://aside:x@db.example/aside", "REDIS_URL": "redis://cache.example"}
    done = replica.run(**unsafe, ASIDE_ACCESS__REQUIRED="false")
    said = done.stdout + done.stderr
    assert done.returncode != 0, "it starts where it is not safe"
    reasons = [line.strip() for line in said.splitlines() if " set " in line or "TLS" in line]
    for reason in (
        "nobody is asked for a key",
        "REDIS_URL has no password",
        "make it rediss://",
        "sslmode=verify-full",
    ):
        assert reason in said, f"{reason!r} is not among the reasons:\n{said}"
    tell(f"it does not start where that is not safe, and says why (exit code {done.returncode}):")
    for reason in reasons:
        tell(f"  {reason}")


def _cannot_write(replica: Container, tell: Tell) -> None:
    for place in ("/opt/aside/app", "/etc", "/run/secrets", "/run/postgresql", "/var/tmp"):
        done = replica.execute("sh", "-c", f"touch {place}/mark")
        assert "Read-only file system" in done.stderr, f"{place}: {done.stderr or 'it can write there'}"
    done = replica.execute("touch", "/tmp/mark")
    assert done.returncode == 0, done.stderr
    tell("its root, secrets and sockets are read-only to it; /tmp is not")


def _key(replica: Container, tell: Tell) -> str:
    scopes = [word for verb in ("read", "write") for word in ("--scope", f"{verb}:*")]
    done = replica.run("keys", "create", "first", *scopes, "--json", **SERVICES["aside"]["environment"])
    assert done.returncode == 0, done.stdout + done.stderr
    tell("`aside keys create` makes a key")
    return str(json.loads(done.stdout)["key"])


def _serves(process: Process, replica: Container, key: str, tell: Tell) -> None:
    port = replica.built.environment["ASIDE_PORT"]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=5) as client:
        _wait_for(lambda: _is_ready(client), "/readyz with 200", process)
        tell("/readyz is 200, in the production profile, with passwords out of files and no network but its own")
        status = process.status
        assert set(status["Uid"].split()) == {replica.built.user.split(":")[0]}, status["Uid"]
        assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {_NO_RIGHTS}
        assert status["NoNewPrivs"] == "1"
        tell(f"it runs as user {replica.built.user}, without one capability, and can get none")
        assert client.get(_BOOK).status_code == 401
        client.headers["Authorization"] = f"Bearer {key}"
        assert client.put(_BOOK, json={"title": "Dune"}).status_code == 201
        _wait_for(lambda: _is_hit(client), "a hit", process)
        tell("an entity is written, read, and read out of the cache; 401 without the key")
    done = replica.execute(*replica.built.health)
    assert done.returncode == 0, done.stderr
    done = replica.execute(*replica.built.health, ASIDE_PORT="1")
    assert done.returncode != 0, "the health check finds life where there is none"
    tell("the health check of the image succeeds; where nobody listens it fails")


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def _is_hit(client: httpx.Client) -> bool:
    answer = client.get(_BOOK)
    assert answer.json() == {"title": "Dune"}, answer.text
    return answer.headers["Cache-Status"].startswith("aside; hit")


def _wait_for(condition: Callable[[], bool], what: str, process: Process) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} was waited for in vain. The process says:\n{process.log}")
        time.sleep(0.05)


def _entries(root: Path) -> Iterator[tuple[str, int, int, int]]:
    """All that is in a root, but for what is mounted into it."""
    device = root.stat().st_dev
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not os.path.ismount(Path(folder, name))]
        for name in (*folders, *files):
            found = Path(folder, name).lstat()
            if found.st_dev == device or not Path(folder, name).is_dir():
                yield str(Path(folder, name)), found.st_mode, found.st_size, found.st_mtime_ns


def _size(folder: Path) -> int:
    """In bytes, as they lie there; what has two names counts once."""
    found = {(stat.st_dev, stat.st_ino): stat.st_size for stat in (path.lstat() for path in folder.rglob("*"))}
    return sum(found.values())
