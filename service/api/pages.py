"""Pages: so many documents as they are, where the next ones are, and how long there are more."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import urlencode

from starlette.responses import Response

from service.api.answers import JSON


def page_response(
    member: str, documents: Sequence[bytes], path: str, *, limit: int, cursor: str | None, **query: str
) -> Response:
    """The documents' bytes under ``member``, and a Link header as long as there is a next page (RFC 8288)."""
    headers = {"Cache-Control": "no-cache"}
    if cursor is not None:
        asked = {name: value for name, value in query.items() if value}
        headers["Link"] = f'<{path}?{urlencode({**asked, "limit": limit, "cursor": cursor}, safe=":~@")}>; rel="next"'
    body = b'{"%s": [%s], "next_cursor": %s}' % (member.encode(), b", ".join(documents), json.dumps(cursor).encode())
    return Response(body, headers=headers, media_type=JSON)
