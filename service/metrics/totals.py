"""The counters that statistics are made of, as plain numbers: of this process, or of all workers together."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry

from service.metrics.exposition import collectable

_FAMILIES = (
    "aside_cache_requests",
    "aside_early_refreshes",
    "aside_fills",
    "aside_writes",
    "aside_db_load_batch_size",
    "aside_audit_checked",
    "aside_audit_stale",
    "aside_audit_suspects",
    "aside_audit_oldest_stale_seconds",
)

Labels = frozenset[tuple[str, str]]


class Totals(dict[tuple[str, Labels], float]):
    """Samples by name and labels."""

    def of(self, name: str, **labels: str) -> float:
        """The sum of all samples of this name that have these labels."""
        wanted = labels.items()
        return sum(value for (sample, has), value in self.items() if sample == name and wanted <= has)

    def since(self, before: Totals) -> Totals:
        """What was added. What ``before`` did not know began at 0."""
        return Totals({key: value - before.get(key, 0.0) for key, value in self.items()})


ReadTotals = Callable[[], Totals]


def read_totals(registry: CollectorRegistry) -> Totals:
    """The same numbers that a scrape shows at this moment."""
    found = Totals()
    for family in collectable(registry).collect():
        if family.name in _FAMILIES:
            for sample in family.samples:
                if not sample.name.endswith("_bucket"):
                    found[sample.name, frozenset(sample.labels.items())] = sample.value
    return found


def labels_of(totals: Iterable[tuple[str, Labels]], label: str) -> list[str]:
    """Every value that a label has, sorted."""
    return sorted({value for _, labels in totals for name, value in labels if name == label})
