"""Directed themes: they leave the mixed swarm as it is, and the real service keeps its promises under each."""

from __future__ import annotations

from random import Random

import pytest

from tests.simulation.campaign import run_seeds
from tests.simulation.clock import simulated_hosts
from tests.simulation.plan import _SCRIPTS, make_plan
from tests.simulation.themes import DIRECTED, SWARM, plan_of
from tests.simulation.world import World, simulate

SEEDS = 10
FINGERPRINTS = {
    3: 0.7315274824372648,
    17: 0.2657689494749187,
    40: 0.4859872292006544,
    977: 0.07433792063891465,
    4_242: 0.20652978538859634,
    999_983: 0.06875182053094298,
}
"""Of the swarm, before there were any other themes. They move with the service: then take them from two versions of
the simulation with the same service, and see that they are equal.
"""


def test_directed_themes_leave_the_swarm_as_it_was_draw_for_draw():
    with simulated_hosts():
        assert {seed: simulate(seed).fingerprint for seed in FINGERPRINTS} == FINGERPRINTS


def test_the_plan_of_the_swarm_is_drawn_without_more_draws():
    for seed in range(50):
        ours, theirs = Random(seed), Random(seed)
        assert plan_of(SWARM, ours) == make_plan(theirs)
        assert ours.random() == theirs.random()


def test_the_weather_knows_a_message_to_redis_by_its_command_or_script():
    """Else no theme makes any of them slow, and nothing tells."""
    with simulated_hosts():
        world = World(3)
        world.run()
    verbs = [channel.verb for node in world.nodes for channel in node.redis_link.channels]
    assert {"MGET", *_SCRIPTS.values()} <= set(filter(_is_a_name, verbs))


def _is_a_name(verb: object) -> bool:
    """Not so where several commands go in one packet."""
    return isinstance(verb, str | bytes)


@pytest.mark.parametrize("theme", DIRECTED)
def test_no_promise_is_broken_under_a_directed_theme(theme: str):
    tally = run_seeds(range(SEEDS), theme=theme)
    assert not tally.violations
    assert tally.seeds == SEEDS


@pytest.mark.parametrize("theme", DIRECTED)
def test_a_directed_theme_is_another_environment_than_the_swarm(theme: str):
    assert plan_of(theme, Random(1)) != plan_of(SWARM, Random(1))
