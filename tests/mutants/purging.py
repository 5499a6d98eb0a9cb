"""Bugs planted in what gives up a type, and in purging."""

from __future__ import annotations

from tests.mutants.mutant import mutant

P = "test_purging.py::test_"

MUTANTS = (
    mutant(
        "a lease leaves alone what its type has given up",
        "service/cache/scripts/lease.lua",
        "generation == label(current, key)",
        "generation == string.match(current, '^%S+')",
        P + "p3_a_fill_under_way_does_not_outlive_the_epoch_of_its_type_or_of_everything",
    ),
    mutant(
        "readers do not ask for the epoch of a type",
        "service/cache/redis_store.py",
        "return [Reading(raw, label_of(generation, name)) for name, raw in zip(names, raws, strict=True)]",
        'return [Reading(raw, generation.partition(b" ")[0]) for raw in raws]',
        P + "p3_a_fill_under_way_does_not_outlive_the_epoch_of_its_type_or_of_everything",
        P + "p6_a_type_counts_as_given_up_only_when_no_heartbeat_says_otherwise",
    ),
    mutant(
        "the relay says nothing of types",
        "service/services/relay.py",
        "generation=poll.generation + poll.type_epochs",
        "generation=poll.generation",
        P + "p12_what_a_version_without_epochs_of_types_fills_beside_them_is_nobodys",
    ),
    mutant(
        "a type counts as given up at once",
        "service/services/purging.py",
        "while await self._label(entity_type) != await self._epochs.label_of_type(entity_type):",
        "while False:",
        P + "p6_a_type_counts_as_given_up_only_when_no_heartbeat_says_otherwise",
        P + "p7_without_a_heartbeat_a_type_is_given_up_when_none_of_before_can_be_alive",
    ),
    mutant(
        "the walk after a given up type removes whatever it meets",
        "service/services/purging.py",
        "self._lane.drop_outdated if wanted.is_by_epoch else self._lane.drop",
        "self._lane.drop",
        P + "p8_the_walk_after_a_given_up_type_frees_what_is_old_and_leaves_what_is_new",
    ),
    mutant(
        "epochs of types are never folded",
        "service/db/epochs.py",
        'await connection.execute(sql("relay_next_epoch"))\n\n    async def next_of_all',
        "pass\n\n    async def next_of_all",
        P + "p10_of_too_many_types_given_up_one_more_gives_up_everything",
    ),
    mutant(
        "a leader is trusted to know epochs of types",
        "service/services/purging.py",
        "and await self._is_refused(entity_type):",
        "and False:",
        P + "p11_where_the_leader_knows_no_epochs_of_types_everything_is_given_up",
    ),
    mutant(
        "an entry with a blank too many holds its key",
        "service/cache/scripts/entry.lua",
        "'^[VN]1 (%d+) (%S+) %d'",
        "'^[VN]1 (%d+) (%S+) '",
        P + "p12_what_a_version_without_epochs_of_types_fills_beside_them_is_nobodys",
    ),
)
