"""How parameters are cached where nothing, or something, is said."""

from __future__ import annotations

from service.cache.policy import Strategy
from service.parts import build_database, build_policies
from service.settings import PolicySettings, Settings


def policies_of(settings):
    return build_policies(settings, build_database(settings)).of


def test_parameters_are_written_through_and_live_an_hour():
    policy = policies_of(Settings())("parameter")
    assert (policy.strategy, policy.ttl_seconds) == (Strategy.WRITE_THROUGH, 3_600)
    assert policies_of(Settings())("country").strategy is Strategy.CACHE_ASIDE


def test_what_is_said_of_parameters_changes_that_and_nothing_else():
    policy = policies_of(Settings(policies={"parameter": PolicySettings(ttl_seconds=60)}))("parameter")
    assert (policy.strategy, policy.ttl_seconds) == (Strategy.WRITE_THROUGH, 60)
    aside = policies_of(Settings(policies={"parameter": PolicySettings(strategy=Strategy.CACHE_ASIDE)}))("parameter")
    assert (aside.strategy, aside.ttl_seconds) == (Strategy.CACHE_ASIDE, 3_600)
