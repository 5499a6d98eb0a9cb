"""What stands at the watermark, whoever put it there."""

from __future__ import annotations

import pytest

from service.cache.grants import Watermark, read_watermark


def test_a_watermark_is_read_as_the_grant_script_writes_it():
    assert read_watermark(b"7.41|c0ffee0123.7|700:720:701,703") == Watermark("c0ffee0123.7", "700:720:701,703")


@pytest.mark.parametrize(
    "raw", [b"", b"7.41", b"7.41||1:1:", b"7.41|g.1|1:1:\n", b"7.41|g 1|1:1:", b"7.41|\xff\x80|1:1:", b"x|g.1|1:1:"]
)
def test_anything_else_is_no_watermark(raw: bytes):
    assert read_watermark(raw) is None
