"""`python -m service.warming_process`: one warming beside a replica that serves. See `service.services.warming_apart`.

What serves comes first: this one takes what is left of the processors, from its very beginning.
"""

from __future__ import annotations

import os
import sys

_NICE = 10


def yield_to_all() -> None:
    """This process wakes up to nobody's cost: it waits until who runs has had a turn, and its own turns are few."""
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    os.nice(_NICE)


def main() -> None:
    yield_to_all()
    # Not before: to import it takes about a second of a processor.
    from service.warming_work import do_as_ordered  # noqa: PLC0415, see above

    do_as_ordered()


if __name__ == "__main__":
    main()
