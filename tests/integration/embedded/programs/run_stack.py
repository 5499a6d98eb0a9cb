"""Runs the stack of `make run` in the folder that it is given, until its input ends; or says why it cannot."""

import sys
from pathlib import Path

from service.embedded import EmbeddedError, LocalStack

try:
    with LocalStack(Path(sys.argv[1])) as stack:
        sys.stdout.write(f"{stack.postgres.pid} {stack.valkey.pid}\n")
        sys.stdout.flush()
        sys.stdin.read()
except EmbeddedError as error:
    sys.exit(str(error))
