"""Runs one target under libFuzzer for some time, and tells how far it has come."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha1
from pathlib import Path

from tests.fuzz.target import Target

_PROGRESS = re.compile(r"#(\d+)\s+\w+\s+cov: (\d+)")
_HANG_SECONDS = 60
_LONGEST_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Found:
    """``coverage``: how many edges of the code were reached. ``crash``: the input that failed, ``words``: how."""

    executions: int = 0
    coverage: int = 0
    crash: Path | None = None
    words: str = ""
    code: int = 0


def fuzz(target: Target, folder: Path, *, seconds: int, told: Callable[[Found], None]) -> Found:
    """``folder`` keeps what was found worth trying, so that the next run goes on from there, and what failed."""
    corpus = folder / target.name / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds:
        (corpus / sha1(seed, usedforsecurity=False).hexdigest()).write_bytes(seed)
    words = folder / target.name / "words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words if word), encoding="ascii")
    before = _crashes(corpus.parent)
    options = [
        f"-max_total_time={seconds}", f"-timeout={_HANG_SECONDS}", f"-max_len={_LONGEST_BYTES}",
        f"-dict={words}", f"-artifact_prefix={corpus.parent}/", "-print_final_stats=1", str(corpus),
    ]  # fmt: skip
    run = target.run
    command = [sys.executable, "-m", "tests.fuzz.one", run.__module__, run.__name__, *options]
    found, last = Found(), deque[str](maxlen=60)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as one:
        assert one.stdout is not None
        for line in one.stdout:
            last.append(line)
            reached = _PROGRESS.match(line)
            if reached is not None:
                found = replace(found, executions=int(reached[1]), coverage=int(reached[2]))
                told(found)
    new = sorted(_crashes(corpus.parent) - before)
    return replace(found, code=one.returncode, crash=new[0] if new else None, words="".join(last))


def _crashes(folder: Path) -> set[Path]:
    return {path for kind in ("crash", "timeout", "oom") for path in folder.glob(f"{kind}-*")}


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)
