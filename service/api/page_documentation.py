"""How pages stand in the OpenAPI document, whatever is listed."""

from __future__ import annotations

from service.api.answers import JSON
from service.api.documentation import TAG_LIST, Fragment, header_parameter, headers, problem
from service.api.schemas import ref

IF_NONE_MATCH_PAGE = header_parameter(
    "If-None-Match", "Only if the page says something else than what one of these tags names; otherwise 304",
    pattern=TAG_LIST,
)  # fmt: skip


def page_answers(description: str, schema: str, *, example: object = None) -> dict[int, Fragment]:
    """What every list answers where nothing is wrong with it, or with its tags."""
    content: Fragment = {"schema": ref(schema)}
    if example is not None:
        content["example"] = example
    sent = {**headers("Link", "Cache-Control"), "ETag": {"$ref": "#/components/headers/PageTag"}}
    return {
        200: {"description": description, "headers": sent, "content": {JSON: content}},
        304: {"description": "The reader has this page", "headers": sent},
        400: problem("If-None-Match cannot be understood"),
    }
