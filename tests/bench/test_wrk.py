"""What wrk says, and what it does: failures are told apart from answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.embedded import free_port
from tests.bench.listening import listening
from tests.bench.wrk import Shape, WrkError, read_output, run_wrk

SAID = """BENCH READY
Running 10m test @ http://127.0.0.1:1
  1500 requests in 1.50s, 1MB read
  Socket errors: connect 0, read 3, write 0, timeout 2
  Non-2xx or 3xx responses: 500
BENCH {"requests": 1500, "seconds": 1.5, "connect": 0, "read": 3, "write": 0, "timeout": 2, "status": 500, \
"p50_ms": 1.5, "p90_ms": 2.5, "p99_ms": 3.5, "max_ms": 40.0}
"""


def test_refusals_are_no_throughput():
    load = read_output(SAID)
    assert load.per_second == pytest.approx(1_000 / 1.5)
    assert load.errors == {"connect": 0, "read": 3, "write": 0, "timeout": 2, "status": 500}
    assert not load.is_clean


def test_a_load_without_errors_is_clean():
    load = read_output(SAID.replace('"status": 500', '"status": 0').replace('"read": 3', '"read": 0'))
    assert load.is_clean is False, "two of 1,500 were not answered in time"
    assert read_output(SAID.replace("500,", "0,").replace(": 3,", ": 0,").replace(": 2,", ": 0,")).is_clean


def test_a_load_without_any_answer_is_not_clean():
    nothing = SAID.replace('"requests": 1500', '"requests": 0').replace("500,", "0,").replace(": 3,", ": 0,")
    assert not read_output(nothing.replace(": 2,", ": 0,")).is_clean


@pytest.mark.parametrize("text", ["", "unable to connect to 127.0.0.1:1 Connection refused", "BENCH READY\n"])
def test_an_output_without_a_result_is_an_error_that_quotes_it(text):
    with pytest.raises(WrkError, match=text.strip() or "nothing"):
        read_output(text)


def test_a_server_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(WrkError, match="refused"):
        run_wrk(f"http://127.0.0.1:{free_port()}", Shape(head="/"), seconds=0.1, folder=tmp_path)


def test_each_key_of_a_sequence_is_asked_for_once(tmp_path):
    with listening(200) as (url, paths):
        load = run_wrk(url, Shape(head="/k/", tail="?x", choice="sequence", keys=100_000), seconds=0.3, folder=tmp_path)
    assert load.is_clean
    assert load.requests > 100
    assert len(set(paths)) == len(paths) >= load.requests
    assert all(path.startswith("/k/") and path.endswith("?x") for path in paths)


def test_a_server_that_refuses_has_no_throughput(tmp_path):
    with listening(503) as (url, _):
        load = run_wrk(url, Shape(head="/"), seconds=0.3, folder=tmp_path)
    assert load.requests > 0
    assert load.per_second == 0
    assert not load.is_clean


def test_documents_are_sent_whole(tmp_path):
    file = tmp_path / "document"
    file.write_text('{"id": "NUMBER"}\n')
    shape = Shape(head="/w/", method="PUT", choice="document", keys=3, file=file, connections=2)
    with listening(200) as (url, paths):
        assert run_wrk(url, shape, seconds=0.3, folder=tmp_path).is_clean
    assert set(paths) == {"/w/1", "/w/2", "/w/3"}


@pytest.mark.parametrize("shape", [Shape(head="/k/"), Shape(head="/w/", method="PUT", choice="document")])
def test_a_client_shows_its_key_with_each_request_and_without_one_shows_none(tmp_path, shape):
    file = tmp_path / "document"
    file.write_text('{"id": "NUMBER"}\n')
    shape = replace(shape, file=file)
    for authorization, lines in (("Bearer aside_live_1", 1), ("", 0)):
        heads: list[str] = []
        with listening(200, heads=heads) as (url, _):
            assert run_wrk(url, shape.sent_as(authorization), seconds=0.2, folder=tmp_path).is_clean
        assert {head.count(f"\r\nAuthorization: {authorization}\r\n") for head in heads} == {lines}
