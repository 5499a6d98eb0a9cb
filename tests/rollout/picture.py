"""The time line of an upgrade: which version was where, in which state, and what clients noticed of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

from tests.chaos.plots import STYLE
from tests.rollout.upgrade import Upgraded

_COLOURS = {"old": "#e08a2c", "new": "#3b82d6"}
_SHADES = {"starting": 0.25, "ready": 0.5, "serving": 1.0, "draining": 0.5}
_GREEN, _RED = "#2fa36b", "#e0524d"


def draw(upgraded: Upgraded, path: Path) -> None:
    """A PNG, on a transparent ground."""
    began, history = upgraded.began, upgraded.load.history
    seconds = range(int(max(operation.ended for operation in history) - began) + 1)
    answered = Counter(int(each.ended - began) for each in history if each.is_answered)
    failed = Counter(int(each.ended - began) for each in history if not each.is_answered)
    with mpl.rc_context(STYLE):
        figure, (top, bottom) = plt.subplots(2, 1, figsize=(12, 5.5), sharex=True, layout="constrained")
        top.plot(seconds, [answered[second] for second in seconds], color=_GREEN, label="answered")
        top.plot(seconds, [failed[second] for second in seconds], color=_RED, label="failed")
        top.set_ylabel("requests/s")
        top.legend(frameon=False)
        hosts = sorted({span.host for span in upgraded.spans}, reverse=True)
        for span in upgraded.spans:
            until = (span.ended or began + len(seconds)) - began
            bottom.barh(
                hosts.index(span.host), until - max(0.0, span.began - began), left=max(0.0, span.began - began),
                height=0.7, color=_COLOURS[span.release], alpha=_SHADES[span.state],
            )  # fmt: skip
        bottom.set_yticks(range(len(hosts)), [f"replica {len(hosts) - number}" for number in range(len(hosts))])
        bottom.set_xlabel("seconds; orange: the release before, blue: this one; faint: starting, half: not counted in")
        figure.savefig(path, dpi=110)
        plt.close(figure)
