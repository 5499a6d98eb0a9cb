"""The OpenAPI document says where a key is needed: everywhere, or nowhere, as the service does."""

from __future__ import annotations

from service.api.access_rules import OPEN, RULES
from service.app import create_app
from service.settings import AccessSettings, Settings


def test_where_keys_are_asked_for_each_route_says_so_and_what_it_refuses():
    document = create_app(Settings(access=AccessSettings(required=True))).openapi()
    assert document["components"]["securitySchemes"]["ApiKey"]["scheme"] == "bearer"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            is_open = RULES[method.upper(), path] is OPEN
            assert operation.get("security") == (None if is_open else [{"ApiKey": []}]), (method, path)
            assert is_open or {"401", "403", "503"} <= set(operation["responses"])


def test_where_none_are_asked_for_a_key_can_be_given_and_is_not_needed():
    document = create_app(Settings()).openapi()
    assert "ApiKey" in document["components"]["securitySchemes"]
    assert not [
        operation for each in document["paths"].values() for operation in each.values() if "security" in operation
    ]
