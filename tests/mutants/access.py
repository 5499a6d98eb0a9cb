"""Bugs planted in access: doors that let everybody in, what is hidden shown, keys that never end."""

from __future__ import annotations

from tests.mutants.mutant import mutant

APP = "service/app.py"
GUARD = "service/api/guarding.py"
ACCESS = "service/services/access.py"
KEYS = "service/api/keys.py"

_MATRIX = "tests/scenarios/access/test_matrix.py::test_of_each_route_and_key_in_each_state_of_the_cache"
_UNIT = "tests/unit/services/test_access.py"
_GIVES = "tests/scenarios/access/test_keys_over_http.py::test_a_key_can_give_no_more_than_it_has"

MUTANTS = (
    mutant(
        "the hot reads ask nobody for a key",
        APP,
        "app.hot_reads.attach(services.entities, services.parameters, services.access)",
        "app.hot_reads.attach(services.entities, services.parameters)",
        _MATRIX,
    ),
    mutant(
        "the hot batches ask nobody for a key",
        APP,
        "app.hot_batches.attach(services.entities, services.parameters, services.access)",
        "app.hot_batches.attach(services.entities, services.parameters)",
        _MATRIX,
    ),
    mutant(
        "the short way to an entity asks nobody for a key",
        "service/api/short_routes.py",
        'guard(request, RULES[scope["method"], ENTITY_ROUTE], match[1])',
        "pass",
        _MATRIX,
    ),
    mutant(
        "what is hidden is looked up",
        GUARD,
        "request.scope[_IS_HIDDEN] = True",
        "pass",
        _MATRIX,
    ),
    mutant(
        "a key is trusted however old the knowledge of revocations is",
        ACCESS,
        "now - self.following.known_at > self._patience_seconds",
        "False",
        f"{_UNIT}::test_without_a_look_for_longer_than_the_bound_no_key_is_trusted_but_with_grace",
    ),
    mutant(
        "the hot reads take a key that has expired",
        ACCESS,
        "if now >= known.until or now",
        "if now",
        f"{_UNIT}::test_revoked_expired_and_never_made_are_told_in_the_same_words",
    ),
    mutant(
        "a key gives scopes that it does not have",
        KEYS,
        "_require_covered(request, scopes)",
        "pass",
        _GIVES,
    ),
    mutant(
        "a key takes over from one that has more scopes",
        KEYS,
        "_require_covered(request, parse_scopes((await keys.read(key_id)).scopes))",
        "pass",
        _GIVES,
    ),
    mutant(
        "a change shows what was stored to a key that may only write",
        "service/api/access_rules.py",
        "_PATCHES = Rule((Verb.WRITE, Verb.READ), None)",
        "_PATCHES = Rule((Verb.WRITE,), None)",
        "tests/scenarios/access/test_keys_over_http.py::test_a_key_that_may_only_write_reads_nothing_by_it",
    ),
)
