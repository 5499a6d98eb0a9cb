"""Checks one value after the other against its JSON Schema (2020-12). A program of its own: see `checker`.

Patterns are matched in linear time and nothing is fetched; but a few lines of `allOf` and `$ref` can ask for 2^60
steps, which no library bounds. So a timer of the kernel ends this process, whatever it is doing.

    python worker.py LIMIT_SECONDS     a line of JSON in: {"schema": text, "value": text}; a line of JSON out
"""

from __future__ import annotations

import json
import signal
import sys
from contextlib import suppress
from decimal import Decimal
from itertools import islice
from typing import Any

from jsonschema_rs import Draft202012Validator, ReferencingError, RegexOptions, ValidationError

FAULTS_MAX = 10
DETAIL_CHARACTERS_MAX = 300
MEMORY_BYTES_MAX = 1 << 30
_PATTERNS = RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20)


def main() -> None:
    limit_seconds = float(sys.argv[1])
    _bound_memory()
    sys.set_int_max_str_digits(0)  # the timer bounds that too
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_REAL, limit_seconds)
        answer = _answer(json.loads(line))
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _answer(request: dict[str, str]) -> dict[str, Any]:
    """`part`: where the faults lie, in the schema or in the value; each is a path in it, and a text."""
    try:
        validator = Draft202012Validator(
            _exact(request["schema"]),
            validate_formats=False,
            pattern_options=_PATTERNS,
            offline=True,
            mask="the value",
        )
    except ValidationError as error:
        return {"part": "schema", "faults": [(list(error.instance_path), _shortened(f"is no schema: {error.message}"))]}
    except (ReferencingError, ValueError) as error:
        return {"part": "schema", "faults": [([], _shortened(f"is no schema: {error}"))]}
    errors = islice(validator.iter_errors(_exact(request["value"])), FAULTS_MAX)
    return {"part": "value", "faults": [(list(error.instance_path), _detail(error)) for error in errors]}


def _detail(error: ValidationError) -> str:
    rule = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in error.schema_path)
    return _shortened(f"{error.message} (the schema's {rule or 'root'})")


def _shortened(text: str) -> str:
    return text if len(text) <= DETAIL_CHARACTERS_MAX else f"{text[: DETAIL_CHARACTERS_MAX - 1]}…"


def _exact(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def _bound_memory() -> None:
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 (not on every platform)

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))


if __name__ == "__main__":
    main()
