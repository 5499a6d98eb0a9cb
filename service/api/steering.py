"""The routes by which people steer the cache: explain a key, see what is hot, warm, purge, and see to the jobs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel
from starlette.responses import Response

from service.api import steering_operations as operations
from service.api.answers import JSON
from service.api.authorship import read_authorship
from service.api.forms import read_form
from service.api.guarding import GuardedRoute, may, require
from service.api.names import EntityId, EntityType
from service.api.queries import read_limit
from service.api.state import limits_of, steering_of
from service.api.steering_forms import PurgeForm, WarmForm
from service.api.steering_reports import (
    JobList,
    Purged,
    explanation_report,
    hot_report,
    job_report,
)
from service.domain.entity import EntityKey
from service.domain.job import Job, types_of_job
from service.domain.scopes import Verb
from service.errors import NotFoundError

JobId = Annotated[
    int,
    Path(alias="id", ge=1, le=2**63 - 1, description="as its `Location` says", openapi_examples={"1": {"value": 1}}),
]


def steering_router() -> APIRouter:
    """Needs the convertors of `service.api.names` to be registered."""
    router = APIRouter(tags=["cache"], route_class=GuardedRoute)

    def add(method: str, path: str, endpoint: Any, operation: dict[str, Any]) -> None:
        router.add_api_route(f"/v1/cache/{path}", endpoint, methods=[method], **operation)

    add("GET", "entries/{entity_type:entity_type}/{id:entity_id}", explain, operations.explain())
    add("GET", "hot", list_hot, operations.hot())
    add("POST", "warm", warm, operations.warm())
    add("POST", "purge", purge, operations.purge())
    add("GET", "jobs", list_jobs, operations.jobs())
    add("GET", "jobs/{id}", read_job, operations.job())
    add("DELETE", "jobs/{id}", cancel_job, operations.cancel())
    return router


async def explain(request: Request, entity_type: EntityType, entity_id: EntityId) -> Response:
    return _answer(explanation_report(await steering_of(request).explain(EntityKey(entity_type, entity_id))))


async def list_hot(request: Request) -> Response:
    limit = read_limit(request.query_params)
    hottest = await steering_of(request).hottest(limit)
    return _answer(hot_report([key for key in hottest if may(request, Verb.OBSERVE, [key.key.entity_type])]))


async def warm(request: Request) -> Response:
    actor = read_authorship(request).actor
    form = await read_form(request, WarmForm, limits_of(request))
    require(request, Verb.STEER, types_of_job(form.wanted().as_json))
    return _accepted(await steering_of(request).warm(form.wanted(), actor=actor))


async def purge(request: Request) -> Response:
    actor = read_authorship(request).actor
    form = await read_form(request, PurgeForm, limits_of(request))
    require(request, Verb.STEER, types_of_job(form.wanted().as_json))
    if form.entity_type is not None and form.ids is not None:
        purged = await steering_of(request).purge_names(form.entity_type, form.ids, dry_run=form.dry_run)
        return _answer(Purged(purged=purged, dry_run=form.dry_run))
    return _accepted(await steering_of(request).purge(form.wanted(), actor=actor))


async def list_jobs(request: Request) -> Response:
    limit = read_limit(request.query_params)
    jobs = await steering_of(request).jobs(limit)
    seen = [job for job in jobs if may(request, Verb.OBSERVE, types_of_job(job.wanted))]
    return _answer(JobList(jobs=[job_report(job) for job in seen]))


async def read_job(request: Request, job_id: JobId) -> Response:
    return _answer(job_report(await _job(request, job_id, Verb.OBSERVE)))


async def cancel_job(request: Request, job_id: JobId) -> Response:
    await _job(request, job_id, Verb.STEER)
    return _accepted(await steering_of(request).cancel(job_id))


async def _job(request: Request, job_id: int, verb: Verb) -> Job:
    """Raises NotFoundError for one of types of which the key may not know, as if it were not there."""
    job = await steering_of(request).job(job_id)
    if not may(request, verb, types_of_job(job.wanted)):
        raise NotFoundError(f"there is no job {job_id}")
    return job


def _answer(report: BaseModel, status: int = 200, **headers: str) -> Response:
    return Response(report.model_dump_json(), status, headers={"Cache-Control": "no-store", **headers}, media_type=JSON)


def _accepted(job: Job) -> Response:
    return _answer(job_report(job), 202, Location=f"/v1/cache/jobs/{job.id}")
