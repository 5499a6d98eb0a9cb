"""A warm read of a parameter costs what one of an entity costs: the ratio is measured side by side, and told."""

from __future__ import annotations

import json
import time

import httpx
import pytest

READS = 2_000


def quantile(seconds: list[float], share: float) -> float:
    return sorted(seconds)[int(len(seconds) * share)]


async def test_a_warm_parameter_is_read_as_quickly_as_a_warm_entity(
    clients: list[httpx.AsyncClient], capsys: pytest.CaptureFixture[str]
) -> None:
    parameter = await clients[0].put("/v1/parameters/warm", json={"type": "integer", "value": 100})
    await clients[0].put("/v1/entities/thing/warm", json=json.loads(parameter.content))
    taken: dict[str, list[float]] = {"/v1/parameters/warm": [], "/v1/entities/thing/warm": []}
    for path in taken:
        await clients[0].get(path)
    for _ in range(READS):
        for path, seconds in taken.items():
            started = time.perf_counter()
            answer = await clients[0].get(path)
            seconds.append(time.perf_counter() - started)
            assert answer.headers["cache-status"].startswith("aside; hit")
    of_parameter, of_entity = taken.values()
    ratios = {share: quantile(of_parameter, share) / quantile(of_entity, share) for share in (0.5, 0.99)}
    with capsys.disabled():
        print(  # noqa: T201 (what this test is for)
            f"\nwarm reads, parameter : entity = {ratios[0.5]:.2f} at p50, {ratios[0.99]:.2f} at p99 "
            f"({quantile(of_parameter, 0.99) * 1000:.2f} ms : {quantile(of_entity, 0.99) * 1000:.2f} ms)"
        )
