"""Which kind of work a request is, told from its method and path alone: what is refused first when there is too much.

Pure. Whatever is not named here is bulk: lists, changes, histories, reports, jobs,
documentation.
"""

from __future__ import annotations

from service.api.hot_targets import PATH
from service.domain.shedding import Work

HEALTH_PATHS = frozenset(("/livez", "/readyz", "/metrics"))
SHED = "aside.shed"
"""Where the state of the lifespan has whom to tell of a request that was shed, by its kind."""
CONNECTION = "connection"
"""The kind of what comes over a connection too many, whatever it is."""
RETRY_SOON = {"retry-after": "1"}
_WRITES = frozenset(("PUT", "PATCH", "DELETE"))
_READS = frozenset(("GET", "HEAD"))
_PARAMETER_VALUE = "/value"


def work_of(method: str, path: str) -> Work:
    """``path`` as the application sees it, decoded."""
    if path in HEALTH_PATHS:
        return Work.HEALTH
    if method in _WRITES:
        return Work.WRITE
    if method in _READS and PATH.fullmatch(path.removesuffix(_PARAMETER_VALUE)) is not None:
        return Work.READ
    return Work.BULK
