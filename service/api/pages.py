"""Pages: so many documents as they are, where the next ones are as long as there are more, and a tag for it all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from service.api.answers import JSON
from service.api.conditions import is_known

_TAG_BYTES = 15


def page_response(
    request: Request,
    member: str,
    documents: Sequence[bytes],
    path: str,
    *,
    limit: int,
    cursor: str | None,
    **query: str,
) -> Response:
    """The documents' bytes under ``member``, and a Link header as long as there is a next page (RFC 8288).

    A page has no version, so its ETag is made of its bytes: 304 for a reader that has the same ones.
    """
    body = b'{"%b": [%b], "next_cursor": %b}' % (member.encode(), b", ".join(documents), json.dumps(cursor).encode())
    tag = blake2b(body, digest_size=_TAG_BYTES).hexdigest()
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
    if cursor is not None:
        asked = {name: value for name, value in query.items() if value}
        headers["Link"] = f'<{path}?{urlencode({**asked, "limit": limit, "cursor": cursor}, safe=":~@")}>; rel="next"'
    if is_known(request.headers, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=JSON)
