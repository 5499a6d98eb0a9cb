"""How keys stand in the OpenAPI document: the scheme always, what is refused only where keys are asked for."""

from __future__ import annotations

from typing import Any

from service.api.access_rules import OPEN, RULES
from service.api.documentation import Fragment, problem

_SCHEME: Fragment = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "aside_live_…",
    "description": "An API key, as `aside keys create` makes them",
}
_REFUSALS = {
    "401": ("No key, or one that is not known, was revoked, or has expired", ["WWW-Authenticate"]),
    "403": ("The key has no scope for this", []),
    "503": ("It is not known which keys were revoked, or PostgreSQL cannot answer", ["Retry-After"]),
}


def add_security(document: dict[str, Any], *, needs_keys: bool) -> None:
    """Into a document that is otherwise complete."""
    document["components"]["securitySchemes"] = {"ApiKey": _SCHEME}
    if not needs_keys:
        return
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            rule = RULES[method.upper(), path]
            if rule is OPEN:
                continue
            operation["security"] = [{"ApiKey": []}]
            scopes = " and ".join(f"`{verb}:…`" for verb in rule.verbs)
            operation["description"] = f"{operation.get('description', '')}\n\nNeeds {scopes}.".strip()
            for status, (description, names) in _REFUSALS.items():
                refused = problem(description, *names, has_body=method != "head")
                operation["responses"].setdefault(status, refused)
