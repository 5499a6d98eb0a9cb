"""A replica is told to stop, in the middle of its work, while it leads the relay."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import asyncpg

from tests.conftest import Replicas
from tests.support.checker import violations
from tests.support.figures import show
from tests.support.load import Traffic, quantiles, reads, unanswered
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually, lasting

KEYS = [f"stop-{number}" for number in range(8)]
BOUND_SECONDS = 2.0
DRAIN_SECONDS = 0.8
MACHINE_SECONDS = 0.75


async def test_a_stopping_replica_is_unready_first_finishes_its_requests_and_hands_over_the_relay(
    replicas: Replicas, database_url: str
) -> None:
    started = replicas(2, ASIDE_BOUND_SECONDS=f"{BOUND_SECONDS:g}", ASIDE_DRAIN_SECONDS=f"{DRAIN_SECONDS:g}")
    database = await asyncpg.connect(database_url)
    async with Traffic([replica.url for replica in started], clients=2) as traffic:
        await traffic.until_cached()
        leader, follower = await eventually(lambda: leader_first(started, traffic))
        probe = Traffic([leader.url, follower.url])
        for key in KEYS:
            await traffic.write(key)
            await traffic.read(key)
        traffic.history.clear()
        async with probe, traffic.hammering(KEYS, readers=12):
            await lasting(0.3)
            ending = asyncio.create_task(asyncio.to_thread(leader.terminate))
            told = time.monotonic()
            await eventually(lambda: is_draining(probe), step_seconds=0.005)
            unready = time.monotonic()
            still_served = await probe.read(KEYS[0], replica=0)
            traffic.urls.remove(leader.url)  # as a load balancer does
            await database.execute("BEGIN; LOCK TABLE entity")
            in_flight = asyncio.create_task(probe.read("never-asked-before", replica=0))
            await database.execute(f"SELECT pg_sleep({DRAIN_SECONDS + 0.4}); COMMIT")
            slow = await in_flight
            exit_code = await ending
            ended = time.monotonic()
            await eventually(lambda: leads(probe, 1), within_seconds=BOUND_SECONDS + MACHINE_SECONDS)
            handed_over = time.monotonic()
            await lasting(BOUND_SECONDS)
    await database.close()

    outcomes = Counter(read.outcome for read in reads(traffic.history))
    show(f"\nunready after {unready - told:.3f} s, ended after {ended - told:.3f} s")
    show(f"the other one led {handed_over - ended:.3f} s later")
    show(f"{outcomes} {quantiles([read.seconds for read in reads(traffic.history)])}; slow one {slow.seconds:.3f} s")
    assert exit_code == 0, leader.log
    assert "Traceback" not in leader.log
    assert (still_served.status, still_served.outcome) == (200, "hit")
    assert ended - unready >= DRAIN_SECONDS - 0.1
    assert slow.status == 404, slow.problem
    assert slow.ended - told > DRAIN_SECONDS  # it ended after the replica had stopped listening
    assert unanswered(traffic.history) == []
    assert violations(traffic.history) == []
    assert outcomes == {"hit": len(traffic.history)}


async def leader_first(replicas: list[ServiceProcess], traffic: Traffic) -> list[ServiceProcess]:
    leading = [await leads(traffic, number) for number in range(len(replicas))]
    return sorted(replicas, key=lambda replica: not leading[replicas.index(replica)]) if any(leading) else []


async def leads(traffic: Traffic, replica: int) -> bool:
    components: dict[str, str] = (await traffic.get("/readyz", replica=replica)).json()["components"]
    return components["relay"] == "leading"


async def is_draining(traffic: Traffic) -> bool:
    answer = await traffic.get("/readyz")
    return answer.status_code == 503 and answer.json()["status"] == "draining"
