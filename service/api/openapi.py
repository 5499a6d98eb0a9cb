"""The app's OpenAPI document: FastAPI's, with the components that our fragments refer to."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from service.api.access_documentation import add_security
from service.api.batch_write_operations import batch_write_schemas
from service.api.documentation import HEADERS
from service.api.entity_schemas import entity_schemas
from service.api.parameter_schemas import parameter_schemas
from service.api.policy_schemas import policy_schemas
from service.api.problems import Problem

TAGS = [
    {"name": "entities", "description": "JSON documents, named by a type and an id"},
    {"name": "parameters", "description": "Typed, versioned settings, named by a key, and what they were"},
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
            schemas.update(batch_write_schemas())
            schemas.update(parameter_schemas(self.state.limits.ttl_seconds))
            schemas.update(policy_schemas())
            add_security(document, needs_keys=self._needs_keys)
        return document
