"""What Aside tells Prometheus: definitions and recorder in `recording`, the scrape in `exposition`; and the same
numbers over time, in `statistics`.
"""

from service.metrics.exposition import expose
from service.metrics.recording import Metrics
from service.metrics.statistics import Statistics

__all__ = ["Metrics", "Statistics", "expose"]
