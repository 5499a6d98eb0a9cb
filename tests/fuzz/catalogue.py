"""All that is fuzzed."""

from __future__ import annotations

from tests.fuzz.target import Target
from tests.fuzz.targets import access, bodies, cache, documents, headers, moments, names, redaction

TARGETS: dict[str, Target] = {
    target.name: target
    for module in (cache, documents, names, headers, bodies, access, moments, redaction)
    for target in module.TARGETS
}
