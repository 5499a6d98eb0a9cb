"""The bytes that are sent."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from typing import Any

from service.bench.mix import parse_mix
from service.bench.plan import Plan, Subject, entities, parameters
from service.bench.requests import Requests, document
from service.bench.target import parse_target

IDS = ("a", "b", "c:1")
ENTITIES = entities("item", IDS, can_write=True)


def plan(mix: str, subject: Subject = ENTITIES, **options: Any) -> Plan:
    return Plan(target=parse_target("http://host:81/base"), subject=subject, mix=parse_mix(mix), **options)


def sent(plan: Plan, count: int = 1, *, process: int = 0) -> list[bytes]:
    requests = Requests(plan, process)
    return [requests.next().data for _ in range(count)]


def test_a_read_is_a_get_of_the_key_with_the_name_of_the_host() -> None:
    request = Requests(plan("reads"), 0).next()
    name = IDS[request.key].encode()
    assert request.data == b"GET /base/v1/entities/item/%b HTTP/1.1\r\nHost: host:81\r\n\r\n" % name


def test_an_id_is_escaped_in_a_path_of_any_service_and_goes_wherever_it_is_wanted() -> None:
    subject = Subject(path="/x/{id}?again={id}", ids=("a/ü",), is_aside=False)
    [request] = sent(plan("reads", subject))
    assert request.startswith(b"GET /base/x/a%2F%C3%BC?again=a%2F%C3%BC HTTP/1.1\r\n")


def test_a_path_without_an_id_is_asked_for_as_it_is() -> None:
    [request] = sent(plan("reads", Subject(path="/healthz", ids=("",), is_aside=False)))
    assert request.startswith(b"GET /base/healthz HTTP/1.1\r\n")


def test_no_two_writes_have_the_same_body_and_each_is_as_long_as_wanted() -> None:
    chosen = plan("writes", body_bytes=250)
    requests = sent(chosen, 50) + sent(chosen, 50, process=1)
    bodies = {request.partition(b"\r\n\r\n")[2] for request in requests}
    assert len(bodies) == 100
    assert {len(body) for body in bodies} == {250}
    assert all(isinstance(json.loads(body), dict) for body in bodies)
    assert all(b"\r\nContent-Length: 250\r\n" in request for request in requests)


def test_a_small_body_is_as_small_as_it_can_be() -> None:
    assert json.loads(document(1)) == {"filler": "", "serial": "000000000000"}


def test_a_conditional_read_names_the_tag_that_was_seen_and_none_before() -> None:
    requests = Requests(plan("if-none-match", entities("item", ("a",), can_write=False)), 0)
    assert b"If-None-Match" not in requests.next().data
    requests.learn(0, b'"7"')
    assert requests.next().data.endswith(b'Host: host:81\r\nIf-None-Match: "7"\r\n\r\n')


def test_absent_keys_are_as_many_as_there_are_ids_and_none_of_them() -> None:
    paths = {request.split()[1].decode() for request in sent(plan("absent"), 100)}
    assert len(paths) == len(IDS)
    assert paths.isdisjoint({f"/base/v1/entities/item/{name}" for name in IDS})


def test_a_batch_read_names_as_many_keys_as_wanted() -> None:
    for subject, path, member in (
        (ENTITIES, b"/base/v1/entities/item/batch-read", "ids"),
        (parameters(IDS), b"/base/v1/parameters/batch-read", "keys"),
    ):
        [request] = sent(plan("batch-read", subject, batch_size=5))
        head, _, body = request.partition(b"\r\n\r\n")
        [names] = json.loads(body).values()
        assert list(json.loads(body)) == [member]
        assert head.startswith(b"POST " + path)
        assert f"Content-Length: {len(body)}".encode() in head
        assert len(names) == 5
        assert set(names) <= set(IDS)


def test_the_same_seed_asks_for_the_same_and_another_process_for_something_else() -> None:
    chosen = plan("reads=1,absent=1", seed=3)
    assert sent(chosen, 50) == sent(chosen, 50)
    assert sent(chosen, 50) != sent(chosen, 50, process=1)


def test_kinds_are_drawn_in_their_shares() -> None:
    requests = Requests(plan("reads=80,writes=20"), 0)
    counts = Counter(request.kind for request in islice(iter(requests.next, None), 5000))
    assert 0.77 < counts[0] / 5000 < 0.83
