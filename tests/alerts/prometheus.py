"""A Prometheus of one's own: real, in a folder that vanishes, asked over HTTP."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from service.embedded import free_port
from service.embedded.private import private_folder
from service.embedded.processes import Launch, spawn

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
SCRAPE_SECONDS = 0.5
PROGRAM = shutil.which("prometheus")


class Alert(NamedTuple):
    name: str
    job: str
    is_firing: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class Prometheus:
    """``url`` is where it listens; it takes a moment from its start until it answers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.AsyncClient(base_url=url, trust_env=False, timeout=10)

    async def is_ready(self) -> bool:
        try:
            return (await self._client.get("/-/ready")).is_success
        except httpx.HTTPError:
            return False

    async def query(self, expr: str) -> list[dict[str, Any]]:
        """The samples of an instant query, now. A query that cannot be is an error with its reason."""
        answer = await self._client.get("/api/v1/query", params={"query": expr})
        found = answer.json()
        assert found["status"] == "success", f"{expr}: {found}"
        result = found["data"]["result"]
        return result if found["data"]["resultType"] == "vector" else [result]

    async def alerts(self) -> list[Alert]:
        """Those that are pending or firing."""
        found = (await self._client.get("/api/v1/alerts")).json()["data"]["alerts"]
        return [
            Alert(
                each["labels"]["alertname"],
                each["labels"].get("job", ""),
                each["state"] == "firing",
                each["labels"],
                each["annotations"],
            )
            for each in found
        ]

    async def rules(self) -> list[dict[str, Any]]:
        """All that it evaluates, as its API tells of them."""
        groups = (await self._client.get("/api/v1/rules")).json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    async def close(self) -> None:
        await self._client.aclose()


@contextmanager
def prometheus(targets: Mapping[str, Sequence[str]], rules: Mapping[str, str]) -> Iterator[str]:
    """Scrapes ``targets`` (addresses by job) under these files of rules (texts by name); yields its URL."""
    with private_folder() as folder:
        for name, text in rules.items():
            (folder / name).write_text(text)
        (folder / "prometheus.yml").write_text(json.dumps(_configuration(targets, rules)))  # JSON is YAML
        port = free_port()
        process = spawn(
            Launch(
                argv=[
                    PROGRAM or "prometheus",
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{port}",
                    "--log.level=warn",
                ],
                log=folder / "prometheus.log",
            )
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def _configuration(targets: Mapping[str, Sequence[str]], rules: Mapping[str, str]) -> dict[str, Any]:
    every = f"{round(SCRAPE_SECONDS * 1000)}ms"
    return {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": list(rules),
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": list(addresses)}]} for job, addresses in targets.items()
        ],
    }
