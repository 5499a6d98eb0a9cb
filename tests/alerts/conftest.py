"""Where Prometheus is not installed there is nothing to test here, and the head of the run says so; CI must have it."""

from __future__ import annotations

import os
import shutil

if shutil.which("prometheus") is None and not os.environ.get("CI"):
    collect_ignore_glob = ["test_*.py"]
