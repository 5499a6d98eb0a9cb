"""What Aside tells Prometheus: definitions and recorder in `recording`, the scrape in `exposition`."""

from service.metrics.exposition import expose
from service.metrics.recording import Metrics

__all__ = ["Metrics", "expose"]
