"""Keys that make keys: what they may give, what is told once, and whose name stands in histories."""

from __future__ import annotations

from typing import Any

from service.domain.key_text import id_in_key
from tests.scenarios.access.conftest import Stage
from tests.support.keys import EVERYTHING, bearer


def create(stage: Stage, who: dict[str, str], name: str, *scopes: str) -> tuple[int, Any]:
    answer = stage.client.post("/v1/keys", json={"name": name, "scopes": list(scopes)}, headers=who)
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()


def test_a_key_can_give_no_more_than_it_has(stage: Stage):
    status, limited = create(stage, stage.keys["own"], "limited", "admin:*", "read:price-*")
    assert status == 201
    who = bearer(limited["key"])
    assert create(stage, who, "sub", "read:price-eu")[0] == 201
    for scope in ("read:*", "read:price*", "write:price-eu", "observe:*"):
        assert create(stage, who, "more", scope)[0] == 403
    # Nor by taking over from a key that has more.
    [own] = [key for key in stage.client.get("/v1/keys", headers=who).json()["keys"] if key["name"] == "own"]
    assert set(own["scopes"]) == set(EVERYTHING)
    assert stage.client.post(f"/v1/keys/{own['id']}/rotate", json={}, headers=who).status_code == 403


def test_a_key_is_rotated_while_both_are_taken_and_then_revoked(stage: Stage):
    own = stage.keys["own"]
    status, first = create(stage, own, "rotating", "read:thing")
    assert (status, id_in_key(first["key"])) == (201, first["id"])
    answer = stage.client.post(f"/v1/keys/{first['id']}/rotate", json={"overlap_seconds": 60}, headers=own)
    second = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"/v1/keys/{second['id']}")
    assert (second["name"], second["scopes"], second["replaces"]) == ("rotating", ["read:thing"], first["id"])
    for key in (first["key"], second["key"]):
        assert stage.client.get("/v1/entities/thing/nothing", headers=bearer(key)).status_code == 404
    assert stage.client.post(f"/v1/keys/{second['id']}/rotate", json={}, headers=own).status_code == 409
    assert stage.client.delete(f"/v1/keys/{first['id']}", headers=own).status_code == 204
    assert stage.client.delete(f"/v1/keys/{first['id']}", headers=own).status_code == 204
    assert stage.client.get("/v1/entities/thing/nothing", headers=bearer(first["key"])).status_code == 401
    told = stage.client.get(f"/v1/keys/{first['id']}", headers=own).json()
    assert [(event["kind"], event["actor"]) for event in told["history"]] == [
        ("revoked", "own"), ("changed", "own"), ("created", "own"),
    ]  # fmt: skip
    assert "key" not in told
    assert stage.client.delete("/v1/keys/000000000000", headers=own).status_code == 404


def test_the_name_of_the_key_is_the_actor_whatever_is_said(stage: Stage):
    own, path = stage.keys["own"], "/v1/parameters/who"
    body = {"type": "integer", "value": 1}
    assert stage.client.put(path, json=body, headers=own).json()["updated_by"] == "own"
    said = {**own, "Aside-Actor": "root"}
    assert stage.client.put(path, json=body, headers=said).json()["updated_by"] == "own (as said: root)"
    job = stage.client.post("/v1/cache/warm", json={"entity_types": ["thing"]}, headers=said).json()
    assert job["actor"] == "own (as said: root)"


def test_what_is_no_key_form_is_refused_with_places(stage: Stage):
    status, problem = create(stage, stage.keys["own"], "x", "read:*", "fly:*")
    assert (status, problem["errors"][0]["pointer"]) == (422, "/scopes/1")
    assert create(stage, stage.keys["own"], "a b", "read:*")[0] == 422
    assert create(stage, stage.keys["own"], "own", "read:*")[0] == 409


def test_a_key_that_may_only_write_reads_nothing_by_it(stage: Stage):
    _, made = create(stage, stage.keys["own"], "writer", "write:thing", "write:parameter")
    who = bearer(made["key"])
    stage.arrange("is-warm")
    path = "/v1/entities/thing/is-warm"
    assert stage.client.get(path, headers=who).status_code == 403  # the type may be known
    assert stage.client.patch(path, json={}, headers=who).status_code == 403
    assert stage.client.put("/v1/parameters/is-warm?dry_run=true", json={}, headers=who).status_code == 403
    assert stage.client.put(path, json={"mine": 1}, headers=who).json() == {"mine": 1}
    assert stage.client.delete(path, headers=who).status_code == 204


def test_who_may_write_is_judged_before_what_was_written_under_an_idempotency_key(stage: Stage):
    path, same = "/v1/entities/thing/once", {"Idempotency-Key": '"planted-idempotency"'}
    who = bearer(create(stage, stage.keys["own"], "repeater", "write:thing")[1]["key"])
    first = stage.client.put(path, json=1, headers=who | same)
    again = stage.client.put(path, json=1, headers=who | same)
    assert (first.status_code, again.status_code, again.headers["idempotency-replayed"]) == (201, 201, "true")
    for other, status in (("none", 401), ("foreign", 403)):
        refused = stage.client.put(path, json=1, headers=stage.keys[other] | same)
        assert (refused.status_code, "idempotency-replayed" in refused.headers) == (status, False)
    # Of another client it is another key, and so another write.
    own = stage.client.put(path, json=1, headers=stage.keys["own"] | same)
    assert (own.status_code, "idempotency-replayed" in own.headers) == (200, False)
    assert "planted-idempotency" not in stage.service.log
