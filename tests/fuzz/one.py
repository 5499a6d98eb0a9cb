"""`python -m tests.fuzz.one MODULE FUNCTION [option of libFuzzer…] [folder]`: one target, in a process of atheris.

It ends as libFuzzer ends it: with 0 after its time, with another code after an input that it has written to a file.
"""

from __future__ import annotations

import importlib
import sys

import atheris


def main() -> None:
    module, function, *options = sys.argv[1:]
    # The way that an input takes through the code is what the next inputs are chosen by: so it is recorded.
    with atheris.instrument_imports(include=["service", "tests.fuzz.targets"]):
        run = getattr(importlib.import_module(module), function)
    atheris.Setup([sys.argv[0], *options], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
