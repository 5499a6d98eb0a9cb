"""Bugs planted in batches of writes."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant, mutant

WRITING = "service/services/batch_writing.py"
SQL = "service/db/sql"

_LEASES = "intents = await asyncio.gather(*[self._engine.intend(name, policy) for name, policy in plan])"
_SETTLE = "        return await self._settle("
_CROSSING = "test_batches.py::test_r30_two_batches_that_cross_both_succeed_one_after_the_other"

MUTANTS = (
    mutant(
        "a batch locks its rows in the order in which they came",
        f"{SQL}/batch_put.sql",
        'ORDER BY k.entity_type COLLATE "C", k.id COLLATE "C"\n',
        "",
        _CROSSING,
        "test_batches.py::test_r30_batches_of_all_verbs_in_any_order_never_deadlock",
    ),
    Mutant(
        "a batch takes its leases after its commit",
        (
            Edit(WRITING, _LEASES, "intents = [Intent(None, self._engine._store.generation_of(n)) for n, _ in plan]"),
            Edit(
                WRITING, "        return await self._settle(", f"        {_LEASES}\n        return await self._settle("
            ),
        ),
        ("test_batches.py::test_r30_a_late_batch_fills_only_under_the_leases_that_it_took_before_its_commit",),
    ),
    mutant(
        "a batch that did not happen keeps its leases",
        WRITING,
        "                self._engine.withdraw(name, intent)",
        "                assert name, intent",
        "test_batches.py::test_r30_a_batch_that_did_not_happen_gives_all_its_leases_back",
    ),
    mutant(
        "a batch is acknowledged once its first key is settled",
        WRITING,
        "outcomes = await asyncio.gather(*map(settling, range(len(rows))))",
        "outcomes = [await settling(0)] * len(rows)",
        "test_batches.py::test_r30_a_readers_old_fill_is_refused_for_each_key_of_a_batch",
        "test_batches.py::test_r30_a_batch_is_not_acknowledged_before_every_key_is_settled",
        "test_batches.py::test_r30_a_batch_written_through_leaves_a_hit_under_each_key",
    ),
)
