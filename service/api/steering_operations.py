"""How the routes that steer the cache stand in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from service.api import steering_examples as examples
from service.api.answers import JSON
from service.api.documentation import ACTOR, LIMIT, REQUEST_ID, Fragment, headers, operation, problem
from service.api.forms import schema_of
from service.api.parameter_documentation import server_problems
from service.api.steering_forms import PurgeForm, WarmForm
from service.api.steering_reports import ExplanationReport, HotKeyList, JobList, JobReport, Purged

_UNNAMED = problem("A name or a query parameter is not valid")


def explain() -> dict[str, Any]:
    text = """Why a reader of this key is answered as it is: what the cache holds, of which version, since when and for
how long; who loads it; which version PostgreSQL has, and whether the relay has carried the last change. To Redis this
is no use of the key. While a server is away the rest is told without it. For a parameter the type is `parameter`."""
    return _reading(
        "explainEntry", "Explain one key", text, ExplanationReport, examples.explanation(), others={422: _UNNAMED}
    )


def hot() -> dict[str, Any]:
    text = """The keys that are read most, out of samples of the hits of all replicas, which fade within minutes. They
are kept in PostgreSQL: after everything was restarted, it is known what to warm."""
    return _reading(
        "listHotKeys", "Which keys are read most", text, HotKeyList, examples.hot(), LIMIT, others={422: _UNNAMED}
    )


def warm() -> dict[str, Any]:
    text = """Fill the cache ahead of readers: with the `hot` keys, with some `ids` of a type, with whole `entity_types`
(an empty list: all of them) or what begins with a `prefix`. A job does it, one at a time over all replicas, on one
connection and no faster than `rows_per_second`. Its lifetimes are jittered, what is cached already is left alone, and
nothing that is changed meanwhile is covered by what was read before. It survives a restart: look at its `Location`."""
    body = _body(WarmForm, {"a type": {"entity_types": ["country"]}, "what is hot": {"hot": 1000}})
    return operation(
        "warmCache",
        "Fill the cache ahead of readers",
        description=text,
        parameters=[ACTOR, REQUEST_ID],
        body=body,
        responses={202: _job("It is going to be done"), **_write_problems()},
    )


def purge() -> dict[str, Any]:
    text = """Take entries out of the cache. Nothing in it is ever stale, so this is for what no trigger has seen, for
policies that shall hold at once, and for memory.

Some `ids`: at once, and the answer says how many there were. A whole type, or `all`: when the answer comes, no replica
answers with what was cached before; the job that it names only frees the memory. A `prefix`: the job walks through
Redis and removes what it meets. What is being loaded meanwhile is not put back: its loader has lost its right.
`dry_run` only counts."""
    purged = {
        "description": "Some ids: they are gone",
        "headers": headers("Cache-Control"),
        "model": Purged,
        "content": {JSON: {"example": examples.purged()}},
    }
    body = _body(
        PurgeForm,
        {
            "some ids": {"entity_type": "country", "ids": ["JP", "NZ"]},
            "a prefix, counted only": {"entity_type": "country", "prefix": "N", "dry_run": True},
        },
    )
    return operation(
        "purgeCache",
        "Take entries out of the cache",
        description=text,
        parameters=[ACTOR, REQUEST_ID],
        body=body,
        responses={200: purged, 202: _job("A job is going to do the rest"), **_write_problems()},
    )


def jobs() -> dict[str, Any]:
    text = "The newest first. Those that were finished a week ago are forgotten."
    return _reading("listJobs", "List the jobs", text, JobList, examples.jobs(), LIMIT, others={422: _UNNAMED})


def job() -> dict[str, Any]:
    gone = {404: problem("There is no such job, or it was finished more than a week ago"), 422: _UNNAMED}
    text = "Once a second it says so."
    return _reading("readJob", "See how far a job has come", text, JobReport, examples.job(), others=gone)


def cancel() -> dict[str, Any]:
    text = """The job ends within seconds, in order; what it has done stays done. One that has ended stays as it is."""
    return operation(
        "cancelJob",
        "Cancel a job",
        description=text,
        parameters=[REQUEST_ID],
        responses={
            202: _job("It has been asked to end"),
            404: problem("There is no such job"),
            422: _UNNAMED,
            **server_problems(),
        },
    )


def _reading(
    operation_id: str, summary: str, text: str, model: type[BaseModel], example: object, *parameters: Fragment,
    others: dict[int, Fragment] | None = None,
) -> dict[str, Any]:  # fmt: skip
    answer = {
        "description": summary,
        "headers": headers("Cache-Control"),
        "model": model,
        "content": {JSON: {"example": example}},
    }
    return operation(
        operation_id,
        summary,
        description=text,
        parameters=[*parameters, REQUEST_ID],
        responses={200: answer, **(others or {}), **server_problems()},
    )


def _job(description: str) -> Fragment:
    return {
        "description": description,
        "headers": headers("Cache-Control", "Location"),
        "model": JobReport,
        "content": {JSON: {"example": examples.job()}},
    }


def _body(form: type[BaseModel], shown: dict[str, object]) -> Fragment:
    rendered = {name: {"value": value} for name, value in shown.items()}
    return {"required": True, "content": {JSON: {"schema": schema_of(form), "examples": rendered}}}


def _write_problems() -> dict[int, Fragment]:
    return {
        400: problem("A header cannot be understood, or the body is not valid JSON"),
        413: problem("The body is too large"),
        415: problem("The body is not JSON, or encoded", "Accept", "Accept-Encoding"),
        422: problem("What the body asks for is no such thing: `errors` says where"),
        **server_problems(),
    }
