"""What goes wrong: each fault strikes once, at a moment of its own, and heals by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from service.cache.keys import HEARTBEAT, WATERMARK, cache_key
from tests.simulation.plan import BOUND_SECONDS
from tests.simulation.redis_server import RedisServer

if TYPE_CHECKING:
    from tests.simulation.node import Node
    from tests.simulation.world import World


def strike(world: World, kind: str) -> None:
    world.counts[f"fault {kind}"] += 1
    world.simulator.note("world", f"fault: {kind}")
    _FAULTS[kind](world)


def _some(world: World) -> Node | None:
    """A replica that lives and runs."""
    nodes = [node for node in world.nodes if node.is_alive and not node.loop.is_paused]
    return nodes[int(world.simulator.rng.random() * len(nodes))] if nodes else None


def _while(world: World, longest: float) -> float:
    """Mostly short, at times as long as allowed."""
    return world.simulator.rng.random() ** 2 * longest


def _at_some_callback(world: World, node: Node, act: Callable[[], None]) -> None:
    """Half-way through whatever the process is doing next, or now."""
    if world.simulator.rng.random() < 0.6:
        node.loop.fuse = int(world.simulator.rng.random() * 60)
        node.loop.on_fuse = act
    else:
        act()


def _cut_redis(world: World) -> None:
    node = _some(world)
    if node is not None:
        swallows = world.simulator.rng.random() < 0.5
        node.redis_link.cut(_while(world, 2.5 * BOUND_SECONDS), swallows=swallows)


def _cut_postgres(world: World) -> None:
    node = _some(world)
    if node is not None:
        node.pg_link.cut(_while(world, 2 * BOUND_SECONDS), swallows=world.simulator.rng.random() < 0.5)


def _crash(world: World) -> None:
    node = _some(world)
    if node is not None:
        _at_some_callback(world, node, lambda: world.crash(node, back_after=0.05 + _while(world, BOUND_SECONDS)))


def _pause(world: World) -> None:
    node = _some(world)
    if node is not None:
        seconds = 0.01 + _while(world, 2.5 * BOUND_SECONDS)
        _at_some_callback(world, node, lambda: world.pause(node, seconds))


def _evict(world: World) -> None:
    rng, redis = world.simulator.rng, world.redis
    keys = [cache_key(f"{kind}:{name}") for kind, name in world.keys] * 3 + [HEARTBEAT, WATERMARK]
    for _ in range(1 + int(rng.random() * 3)):
        redis.memory.unlink(keys[int(rng.random() * len(keys))])


def _flush(world: World) -> None:
    world.redis.memory.flush()


def _forget_scripts(world: World) -> None:
    world.redis.forget_scripts()


def _restart_redis(world: World) -> None:
    """Empty, or with what a snapshot of some time ago held: heartbeat, watermark and leases too."""
    rng, redis = world.simulator.rng, world.redis
    if not redis.is_up:
        return
    snapshot = {} if rng.random() < 0.3 else redis.snapshot()
    # Quick enough, and a heartbeat of the snapshot still lives.
    pace = BOUND_SECONDS if rng.random() < 0.5 else BOUND_SECONDS * 0.3

    def restart() -> None:
        if redis.is_up:
            redis.stop()
            world.simulator.note("world", f"{redis.name} is gone")
            world.later(_while(world, pace), start)

    def start() -> None:
        redis.start(snapshot)
        world.simulator.note("world", f"{redis.name} is back with {sorted(snapshot)}")

    world.later(_while(world, 1.5 * pace), restart)


def _restart_short(world: World) -> None:
    """Back at once with a snapshot of some time ago, too large for it: some keys are evicted before anybody asks."""
    rng, redis = world.simulator.rng, world.redis
    snapshot = redis.snapshot()
    for key in sorted(snapshot):
        if rng.random() < 0.3:
            del snapshot[key]

    def restart() -> None:
        if redis.is_up:
            redis.stop()
            redis.start(snapshot)
            world.simulator.note("world", f"{redis.name} has restarted with {sorted(snapshot)}")

    world.later(_while(world, BOUND_SECONDS), restart)


def _cut_all_from_redis(world: World) -> None:
    """Longer than any heartbeat lives; one replica is cut for longer than the others."""
    rng = world.simulator.rng
    seconds, last = (1.2 + 0.5 * rng.random()) * BOUND_SECONDS, int(rng.random() * len(world.nodes))
    for place, node in enumerate(world.nodes):
        longer = (0.5 + 2 * rng.random()) * BOUND_SECONDS if place == last else 0.0
        node.redis_link.cut(seconds + longer, swallows=rng.random() < 0.5)


def _long_cut(world: World) -> None:
    """Redis is out of reach of one replica for longer than any heartbeat lives."""
    node = _some(world)
    if node is not None:
        seconds = (1.8 + 1.2 * world.simulator.rng.random()) * BOUND_SECONDS
        node.redis_link.cut(seconds, swallows=world.simulator.rng.random() < 0.5)


def _cross_cuts(world: World) -> None:
    """One replica loses PostgreSQL, another one Redis."""
    rng = world.simulator.rng
    first = int(rng.random() * len(world.nodes))
    second = (first + 1) % len(world.nodes)
    for link in (world.nodes[first].pg_link, world.nodes[second].redis_link):
        link.cut((1.3 + rng.random()) * BOUND_SECONDS, swallows=rng.random() < 0.5)


def _fail_over(world: World) -> None:
    """Another server takes over the address, with an older copy; hosts learn of it one by one, and the old primary
    lives on for a while, takes writes for a while, and then says that it is a replica, or is gone.
    """
    rng, simulator, old = world.simulator.rng, world.simulator, world.redis
    if world.is_failing_over:
        return
    world.is_failing_over = True
    snapshot = old.snapshot()
    new = RedisServer(simulator, f"redis{len(world.servers) + 1}", world.counts, ahead=old.ahead + rng.random() * 0.2)
    world.servers.append(new)

    def promote() -> None:
        new.start(snapshot)
        world.redis = new
        simulator.note("world", f"{new.name} takes over with {sorted(snapshot)}")
        for place in range(len(world.nodes)):
            world.later(_while(world, BOUND_SECONDS), resolve, place)
        world.later(_while(world, 2 * BOUND_SECONDS), demote if rng.random() < 0.5 else end)

    def resolve(place: int) -> None:
        world.nodes[place].address = world.redis

    def demote() -> None:
        old.is_replica = True
        simulator.note("world", f"{old.name} is a replica now")
        world.is_failing_over = False

    def end() -> None:
        old.stop()
        simulator.note("world", f"{old.name} is gone")
        world.is_failing_over = False

    world.later(_while(world, BOUND_SECONDS), promote)


def _terminate_backend(world: World) -> None:
    sessions = world.postgres.sessions()
    if sessions:
        world.postgres.terminate(sessions[int(world.simulator.rng.random() * len(sessions))])


def _restart_postgres(world: World) -> None:
    if world.postgres.is_up:
        world.postgres.stop()
        world.later(_while(world, BOUND_SECONDS), world.postgres.start)


def _plain_sql(world: World) -> None:
    rng = world.simulator.rng
    keys = [key for key in world.keys if rng.random() < 0.7] or [world.keys[0]]
    changes = [(key, None if rng.random() < 0.35 else world.document(key)) for key in keys]
    if world.postgres.is_up:
        world.postgres.plain(changes, open_seconds=_while(world, 0.8), commits=rng.random() < 0.85)


def _truncate(world: World) -> None:
    if world.postgres.is_up:
        world.postgres.truncate()


def _give_up_type(world: World) -> None:
    """A purge of a whole type."""
    if world.postgres.is_up:
        kinds = sorted({kind for kind, _ in world.keys})
        world.postgres.rows.next_epoch_of_type(kinds[int(world.simulator.rng.random() * len(kinds))])


def _redis_clock(world: World) -> None:
    """An NTP step: forward only."""
    world.redis.ahead += world.simulator.rng.random() * 3


_FAULTS: dict[str, Callable[[World], None]] = {
    "cut redis": _cut_redis,
    "cut postgres": _cut_postgres,
    "crash": _crash,
    "pause": _pause,
    "evict": _evict,
    "flush": _flush,
    "forget scripts": _forget_scripts,
    "restart redis": _restart_redis,
    "fail over": _fail_over,
    "terminate backend": _terminate_backend,
    "restart postgres": _restart_postgres,
    "plain sql": _plain_sql,
    "truncate": _truncate,
    "give up type": _give_up_type,
    "redis clock": _redis_clock,
    "restart redis short of keys": _restart_short,
    "cut all from redis": _cut_all_from_redis,
    "long cut": _long_cut,
    "cross cuts": _cross_cuts,
}
