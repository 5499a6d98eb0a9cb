"""`aside stats`: what the service counts, once or again and again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Annotated, Any

import httpx
import typer
from rich.live import Live

from service.cli.asking import AsJson, RefusedError, Service, Url, asking
from service.cli.stats_display import Figures, figures_of, line_of, picture_of
from service.cli.wide_console import wide_console

_PATH = "/v1/cache/stats"

Watch = Annotated[bool, typer.Option("--watch", help="Go on until Ctrl-C.")]
Every = Annotated[float, typer.Option(min=0.1, max=3_600, help="Seconds between two looks, with --watch.")]


def stats(url: Url = None, *, watch: Watch = False, every: Every = 2.0, as_json: AsJson = False) -> None:
    """Show how the cache of a running service does: hit ratios, outcomes, its state, memory, the audit.

    With --json, the answer of the service; with --watch too, one in each line.
    """
    with asking(url) as service:
        if not watch:
            _show_once(service.get(_PATH), as_json=as_json)
            return
        try:
            _watch(service, every_seconds=every, as_json=as_json)
        except KeyboardInterrupt:
            return


def _show_once(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer))
    else:
        wide_console().print(picture_of(figures_of(answer)))


def _watch(service: Service, *, every_seconds: float, as_json: bool) -> None:
    console = wide_console()
    if as_json:
        _look_again_and_again(service, every_seconds, on_answer=lambda answer, _: typer.echo(json.dumps(answer)))
    if not console.is_terminal:
        _look_again_and_again(service, every_seconds, on_answer=lambda _, figures: typer.echo(line_of(figures)))
    with Live(console=console, auto_refresh=False) as live:
        _look_again_and_again(
            service,
            every_seconds,
            on_answer=lambda _, figures: live.update(picture_of(figures), refresh=True),
            on_silence=lambda figures, why: live.update(picture_of(figures, fault=why), refresh=True),
        )


def _look_again_and_again(
    service: Service, every_seconds: float, *, on_answer: Callable[[dict[str, Any], Figures], None],
    on_silence: Callable[[Figures, str], None] | None = None,
) -> None:  # fmt: skip
    """Does not return. A service that is away at first ends it; one that goes away later is waited for."""
    before, seen_at = service.get(_PATH), time.monotonic()
    on_answer(before, figures := figures_of(before))
    while True:
        time.sleep(every_seconds)
        try:
            answer, now = service.get(_PATH), time.monotonic()
        except (httpx.HTTPError, RefusedError) as error:
            why = str(error) or type(error).__name__
            if on_silence is None:
                typer.echo(f"no answer: {why}", err=True)
            else:
                on_silence(figures, why)
            continue
        figures = figures_of(answer, before=before, seconds=now - seen_at)
        before, seen_at = answer, now
        on_answer(answer, figures)
