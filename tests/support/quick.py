"""How long hypothesis may try: the same examples in every run, nothing written into the source tree."""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def quick(examples: int, *, steps: int = 50) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
