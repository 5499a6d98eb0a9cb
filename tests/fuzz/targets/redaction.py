"""What reaches the log: no password of a URL, no key, wherever in an event they stand."""

from __future__ import annotations

import re
from urllib.parse import quote

from service.domain.key_text import compose_key, id_in_key
from service.logs.redaction import hide_secrets, redact_url
from tests.fuzz.target import Target, joined, parts_of

PLANTED = "hunter2zswordfish"
KEY = compose_key("0123456789ab", "cdefghjkmnpqrstvwxyz0123456789ab")
_SECRET_OF_KEY = KEY.split("_")[3]
_ENDS_A_URL = re.compile(r"[\s'\"]")


def redaction(data: bytes) -> None:
    """A password is hidden whatever surrounds it and whatever else is in it, encoded or not; so is a key."""
    before, first, second, after = (part.decode(errors="replace") for part in parts_of(data, 4))
    head, tail = (_ENDS_A_URL.sub("", text) for text in (first, second))
    password = f"{head}{PLANTED}{tail}"
    for text in (
        f"{before} postgresql+asyncpg://user:{password}@db:5432/aside{after}",
        f"{before}'redis://:{quote(password, safe='')}@cache/0' {after}",
        f"{before} postgresql://db/aside?sslmode=require&password={quote(password)}&x=1 {after}",
    ):
        assert PLANTED not in redact_url(text)
        assert PLANTED not in str(hide_secrets(None, "info", {"event": text, "deep": {"list": [text, (text,)]}}))
    for text in (f"{before}{KEY}{after}", f"{before}?key={KEY}&{after}"):
        if id_in_key(text) is None or text == KEY:
            assert _SECRET_OF_KEY not in str(hide_secrets(None, "info", {"event": text, "deep": {"list": [text]}}))
    assert redact_url(redact_url(before)) == redact_url(before)


TARGETS = (
    Target(
        "redaction",
        redaction,
        (
            joined("cannot reach", "p", "", "?x=a@b"),
            joined("a://b@c", "/", "#?:", ""),
            joined("x=", "%40", "@", "://@"),
        ),
        (b"@", b"://", b"?", b"&", b"password=", b"'", b'"', b" ", b"\0", b"_", b"aside_live_", b"="),
    ),
)
