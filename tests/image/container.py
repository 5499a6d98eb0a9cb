"""A process in the image's root, as an engine would run it: read-only, as the image's user, with no rights at all."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.image.build import Built
from tests.image.mounts import mount
from tests.support.compose import SERVICES, Volumes, mounts

_COMMAND_SECONDS = 180


class Container:
    """A root that is mounted; whatever is started is the first process of a namespace of its own."""

    def __init__(self, root: Path, built: Built) -> None:
        self.root = root
        self.built = built

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """The entry point, to its end. No arguments: those that the image has."""
        own = (*self.built.entrypoint, *(arguments or self.built.arguments))
        return self.execute(*own, **environment)

    def execute(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Another command, to its end."""
        return subprocess.run(
            self._command(command, environment),
            capture_output=True, text=True, check=False, timeout=_COMMAND_SECONDS, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    @contextmanager
    def started(self, log: Path, **environment: str) -> Iterator[Process]:
        """What the image does by itself, until the end of the context at the latest."""
        own = (*self.built.entrypoint, *self.built.arguments)
        with log.open("wb") as out:
            outer = subprocess.Popen(
                self._command(own, environment), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )
            try:
                yield Process(outer, log)
            finally:
                outer.kill()
                outer.wait()

    def _command(self, command: tuple[str, ...], environment: Mapping[str, str]) -> list[str | Path]:
        user, group = self.built.user.split(":")
        variables = {**self.built.environment, **environment}
        return [
            "unshare", "--pid", "--fork", "--kill-child", f"--mount-proc={self.root}/proc",
            "chroot", self.root,
            "/usr/bin/setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs",
            "--bounding-set=-all", "--inh-caps=-all",
            "/usr/bin/env", "-i", f"--chdir={self.built.folder}",
            *(f"{name}={value}" for name, value in variables.items()), *command,
        ]  # fmt: skip


class Process:
    """``outer`` made its namespace and waits for it; the process itself is number 1 in there."""

    def __init__(self, outer: subprocess.Popen[bytes], log: Path) -> None:
        self._outer = outer
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def status(self) -> dict[str, str]:
        """What the kernel says of it, by name."""
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def end(self, by: str, *, within_seconds: float) -> int:
        """Send the signal of that name; the exit code."""
        subprocess.run(["kill", "-s", by, str(self._pid)], check=True)
        return self._outer.wait(within_seconds)

    @property
    def _pid(self) -> int:
        number = self._outer.pid
        return int(Path(f"/proc/{number}/task/{number}/children").read_text().split()[0])


@contextmanager
def container(built: Built, volumes: Volumes, service: str) -> Iterator[Container]:
    """The root, with a /tmp in memory and the volumes that ``service`` has in compose.yaml, and nothing else."""
    places = volumes.root / f"places-{service}"  # an engine makes them too, where the image has none
    for target in mounts(service):
        (places / target.lstrip("/")).mkdir(parents=True)
    with built.layer.mounted(read_only_with=places) as root, ExitStack() as mounted:
        mount(mounted, "tmpfs", root / "tmp", "-t", "tmpfs", "-o", "size=64m,mode=1777")
        for entry in SERVICES[service]["volumes"]:
            volume, target, access = entry.split(":")
            place = root / target.lstrip("/")
            mount(mounted, volumes[volume], place, "--bind")
            if access == "ro":
                subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
        yield Container(root, built)
