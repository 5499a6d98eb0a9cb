"""Python's cycle collector: off while the service is imported, and at work once all is open."""

import gc

from service.cli.serving import spare_the_collector


def test_the_collector_works_once_all_is_open_and_leaves_what_is_there_alone():
    thresholds = gc.get_threshold()
    gc.disable()
    try:
        spare_the_collector()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.enable()
        gc.unfreeze()
        gc.set_threshold(*thresholds)
