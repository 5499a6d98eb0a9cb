"""Who sends a request, as far as limits are concerned. The one place that says so."""

from __future__ import annotations

from starlette.types import Scope

from service.services.access import Access


def client_of(scope: Scope, access: Access | None) -> str:
    """The id of the key, where it is a good one; otherwise the address of the peer. Never what is only claimed."""
    if access is not None:
        principal = access.recognise([value for name, value in scope["headers"] if name == b"authorization"])
        if principal is not None:
            return f"key:{principal.key_id}"
    peer = scope.get("client")
    return "peer:unknown" if peer is None else f"peer:{peer[0]}"
