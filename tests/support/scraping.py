"""Reads what the service tells Prometheus, and what has been added to it since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
_PATIENCE_SECONDS = 15.0


class Scrape(Counter[tuple[str, Labels]]):
    """Samples by name and labels. Scrapes can be added up over processes, and subtracted to see what has happened."""

    def total_of(self, name: str, **labels: str) -> float:
        """The sum of all samples of this name that have these labels."""
        wanted = set(labels.items())
        return sum(value for (sample, has), value in self.items() if sample == name and wanted <= has)

    def since(self, before: Scrape) -> Scrape:
        return Scrape({sample: value - before[sample] for sample, value in self.items()})


async def scrape(urls: Iterable[str], *, headers: Mapping[str, str] | None = None) -> Scrape:
    """The sum over these replicas."""
    sum_of_all = Scrape()
    async with httpx.AsyncClient(trust_env=False, verify=False, headers=headers, timeout=_PATIENCE_SECONDS) as client:
        for url in urls:
            text = (await client.get(f"{url}/metrics")).raise_for_status().text
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    sum_of_all[sample.name, frozenset(sample.labels.items())] += sample.value  # type: ignore[assignment]
    return sum_of_all
