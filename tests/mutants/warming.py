"""Bugs planted in warming: the order of its steps, whose lease it is, which cache it fills."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant, mutant

SERVICE = "service/services/warming.py"
LANE = "service/cache/warming.py"
WIRING = "service/parts.py"

_LEASE = "lease = await lane.lease([name_of(*key) for key in page])"
_EARLY = "self.early = await self._read(PageLease(b'', b'', [name_of(*key) for key in page], 0, 0))"
_READ = "rows, cost_ms = await self._read(lease)"
_ANOTHER_DATABASE = "test_warming_leases.py::test_w10_nothing_goes_into_the_cache_of_another_database"

MUTANTS = (
    Mutant(
        "a page is read before it is leased",
        (
            Edit(
                SERVICE,
                _LEASE,
                "early = await self._read(PageLease(b'', b'', [name_of(*key) for key in page], 0, 0))\n        "
                + _LEASE,
            ),
            Edit(SERVICE, _READ, "rows, cost_ms = self.early"),
        ),
        (
            "test_warming.py::test_w2_a_write_between_the_query_and_the_fill_is_not_covered_by_what_was_read_before_it",
            "test_warming.py::test_w2_a_deletion_between_the_query_and_the_fill_stays_a_deletion",
            "test_warming.py::test_w3_what_the_relay_applies_between_the_query_and_the_fill_is_not_covered",
            "test_warming.py::test_w5_a_flush_takes_no_write_back",
        ),
    ),
    mutant(
        "all pages have the same token",
        LANE,
        "token = new_token()",
        "token = b'0'",
        "test_warming_leases.py::test_w6_a_warming_that_slept_past_its_lease_fills_nothing_under_the_next_ones",
    ),
    mutant(
        "what was warmed is labelled with the generation of now",
        SERVICE,
        "generation=lease.generation",
        "generation=self._store.generation_of(name)",
        "test_warming.py::test_w4_what_was_read_before_a_truncate_is_not_read_in_the_next_generation",
    ),
    mutant(
        "a page is filled on whatever connection there is",
        LANE,
        ", once=True)",
        ")",
        "test_warming_leases.py::test_w8_a_fill_goes_out_on_no_other_connection_than_its_lease_came_on",
    ),
    mutant(
        "a warming trusts any heartbeat",
        WIRING,
        "store.expect_history(await read_history(database))",
        "await read_history(database)",
        _ANOTHER_DATABASE,
    ),
    mutant(
        "a page that nobody vouches for keeps its leases",
        LANE,
        "await self._unlink(granted)",
        "pass",
        _ANOTHER_DATABASE,
    ),
    mutant(
        "a page that failed keeps its leases",
        SERVICE,
        "await lane.abandon(lease)",
        "pass",
        "test_warming_leases.py::test_w8_a_fill_goes_out_on_no_other_connection_than_its_lease_came_on",
    ),
    mutant(
        "a cancelled warming does not wait for its pages",
        SERVICE,
        "                pace.stop()\n                await asyncio.wait(tasks)",
        "                pace.stop()",
        "test_warming_leases.py::test_w11_a_cancelled_warming_ends_its_pages_first",
    ),
)
