"""How commands ask a service that runs, and what they make of services that do not, or are none."""

from __future__ import annotations

import asyncio

import pytest
import typer

from service.cli.asking import asking, path_of
from tests.support.service_process import ServiceProcess
from tests.support.stand_in_server import BREAK_OFF, stand_in_server


def test_the_json_of_a_service_is_handed_over(shared_replica: ServiceProcess):
    with asking(shared_replica.url) as service:
        assert service.get("/v1/cache/stats")["bound_seconds"] == 2
        path = path_of("v1", "parameters", "a:b")
        made = service.send("PUT", path, body={"type": "integer", "value": 7}, headers={"Aside-Actor": "ann"})
        assert (made.status, made.body["updated_by"]) == (201, "ann")
        rehearsed = service.send("DELETE", path, query={"dry_run": "true"})
        assert (rehearsed.status, rehearsed.body["would"]) == (200, "delete")
        gone = service.send("DELETE", path)
        assert (gone.status, gone.body) == (204, None)


@pytest.mark.parametrize(
    ("asked", "exit_code", "words"),
    [
        (("GET", path_of("v1", "entities", "book", "..")), 2, ["not valid: id", "id: String should match"]),
        (("GET", path_of("v1", "entities", "a/b", "x")), 2, ["not valid: id"]),
        (("GET", path_of("v1", "parameters", "none")), 1, ["aside: there is no parameter none\n"]),
        (("PUT", path_of("v1", "parameters", "a")), 2, ["The parameter is not valid", "/type: must be", "/ttl_sec"]),
    ],
)
def test_a_refusal_is_told_with_all_its_faults(shared_replica, capsys, asked, exit_code, words):
    with pytest.raises(typer.Exit) as ended, asking(shared_replica.url) as service:
        service.send(*asked, body={"type": "none", "ttl_seconds": 0})
    told = capsys.readouterr().err
    assert ended.value.exit_code == exit_code
    assert [each for each in words if each not in told] == [], told


async def test_what_is_no_service_is_said_to_be_none(capsys):
    answers = {1: BREAK_OFF, 2: html(200), 3: html(502)}

    async def reply(number: int, _: bytes) -> bytes:
        return answers[number]

    async with stand_in_server(reply) as server:
        for words in ("no service answers at", "is no Aside", "is no Aside"):
            with pytest.raises(typer.Exit) as ended:
                await asyncio.to_thread(ask_for_anything, server.url)
            assert (ended.value.exit_code, words in capsys.readouterr().err) == (1, True)


def html(status: int) -> bytes:
    return f"HTTP/1.1 {status} So\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>".encode()


def ask_for_anything(url: str) -> None:
    with asking(url) as service:
        service.get("/readyz")


@pytest.mark.parametrize("url", ["ftp://host", "http://", "http://ann:secret@host", "not a url"])
def test_an_address_that_cannot_be_is_refused_before_anything_is_sent(capsys, url):
    with pytest.raises(typer.Exit) as ended:
        ask_for_anything(url)
    assert (ended.value.exit_code, "is no URL" in capsys.readouterr().err) == (2, True)
