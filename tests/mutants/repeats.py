"""Bugs planted in what is done with requests that are sent again."""

from __future__ import annotations

from tests.mutants.mutant import mutant

REPEATS = "service/services/repeats.py"
SQL = "service/db/sql"

_NOTES = "tests/integration/db/test_repeats.py"

MUTANTS = (
    mutant(
        "a repeat is acknowledged whatever the cache holds",
        REPEATS,
        "outcomes = await asyncio.gather(*settling)",
        "[each.close() for each in settling]\n        outcomes = [Settled.APPLIED] * len(rows)",
        "test_repeats.py::test_r31_a_repeat_tells_the_cache_what_its_first_attempt_could_not",
        "test_repeats.py::test_r31_a_repeat_that_cannot_tell_the_cache_waits_as_its_first_attempt_would_have",
        "test_repeats.py::test_r31_a_repeat_is_not_acknowledged_before_every_key_of_its_batch_is_settled",
    ),
    mutant(
        "a repeat that comes too early writes again",
        f"{SQL}/repeat_claim.sql",
        "ON CONFLICT (client, key) DO NOTHING",
        "ON CONFLICT (client, key) DO UPDATE SET digest = excluded.digest",
        "test_repeats.py::test_r31_whoever_looked_for_a_note_before_it_was_there_does_not_write_again",
    ),
    mutant(
        "a repeat waits for its first attempt, with a connection in its hand",
        f"{SQL}/repeat_claim.sql",
        "WHERE pg_try_advisory_xact_lock(hashtextextended($1::text || ' ' || $2::text, 0))\n",
        "",
        f"{_NOTES}::test_while_the_first_is_under_way_a_second_one_is_told_so_at_once_whatever_it_asks_for",
    ),
    mutant(
        "a key stands for whatever comes with it",
        "service/db/repeats.py",
        'record["digest"] != request.digest',
        "False",
        f"{_NOTES}::test_another_request_of_the_same_client_is_refused_and_the_same_key_of_another_client_is_another",
    ),
)
