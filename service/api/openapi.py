"""The app's OpenAPI document: FastAPI's, with the components that our fragments refer to."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from service.api.access_documentation import add_security
from service.api.batch_write_operations import batch_write_schemas
from service.api.change_operations import change_schemas
from service.api.documentation import HEADERS, Fragment, problem
from service.api.entity_schemas import entity_schemas
from service.api.links import add_links
from service.api.parameter_schemas import parameter_schemas
from service.api.policy_schemas import policy_schemas
from service.api.problems import Problem
from service.api.work import HEALTH_PATHS

TAGS = [
    {"name": "entities", "description": "JSON documents, named by a type and an id"},
    {"name": "parameters", "description": "Typed, versioned settings, named by a key, and what they were"},
    {"name": "changes", "description": "What was changed, by whomever: to be asked for, or followed"},
    {"name": "cache", "description": "What the cache holds and does, seen and steered"},
    {"name": "keys", "description": "Who may do what: API keys, made, rotated and revoked"},
    {"name": "operations", "description": "For probes and for Prometheus"},
]


class DocumentedApp(FastAPI):
    """A FastAPI whose document is complete: nothing it answers is missing, nothing it names is undefined."""

    def __init__(self, *, needs_keys: bool, **options: Any) -> None:
        super().__init__(**options)
        self._needs_keys = needs_keys

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        components = document.setdefault("components", {})
        if "headers" not in components:
            components["headers"] = HEADERS
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas = components.setdefault("schemas", {})
            schemas.update(problem.pop("$defs"), Problem=problem)
            schemas.update(entity_schemas())
            schemas.update(batch_write_schemas(self.state.limits.ttl_seconds))
            schemas.update(change_schemas())
            schemas.update(parameter_schemas(self.state.limits.ttl_seconds))
            schemas.update(policy_schemas(self.state.limits.policy_seconds))
            add_links(document["paths"])
            _add_refusals(document["paths"])
            add_security(document, needs_keys=self._needs_keys)
        return document


def _add_refusals(paths: Fragment) -> None:
    """What stands before every route may answer for each of them, but for probes."""
    for path, methods in paths.items():
        for method, operation in methods.items():
            if path not in HEALTH_PATHS:
                responses, has_body = operation["responses"], method != "head"
                responses.setdefault(
                    "429",
                    problem(
                        "The client sends more than it may",
                        *("Retry-After", "RateLimit", "RateLimit-Policy"),
                        has_body=has_body,
                    ),
                )
                responses.setdefault("503", problem("There is too much to do now", "Retry-After", has_body=has_body))
