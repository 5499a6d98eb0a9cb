"""Makes the ASGI application: routers, handlers, middleware, one lifespan. Importing it does nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from importlib import metadata
from typing import Any

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from service.api.cache_history import cache_history_router
from service.api.cache_stats import cache_stats_router
from service.api.changes import changes_router
from service.api.dashboard import add_dashboard
from service.api.docs import add_docs
from service.api.door import Door
from service.api.doors import add_doors
from service.api.draining import drained_on_sigterm
from service.api.entities import entities_router
from service.api.guarding import check_guarded
from service.api.health import health_router
from service.api.hot_batches import HotBatches
from service.api.hot_reads import HOT_READS, HotReads
from service.api.hot_writes import HotWrites
from service.api.keys import keys_router
from service.api.middleware import RequestEnvelope
from service.api.openapi import TAGS, DocumentedApp
from service.api.parameters import parameters_router
from service.api.policies import policies_router
from service.api.problems import add_problem_handlers
from service.api.scrape import scrape_router
from service.api.short_routes import add_short_routes
from service.api.state import Limits, attach_services
from service.api.steering import steering_router
from service.api.work import SHED
from service.cache.recorder import Recorder
from service.metrics import Metrics, Statistics, expose
from service.settings import Settings
from service.tracing.naming import NamedByRoute
from service.tracing.telemetry import OFF, Telemetry, telemetry_by_environment
from service.wiring import Services
from service.wiring import open_services as open_real_services


class FrontedApp(DocumentedApp):
    """The documented app, behind the hot reads, the hot batches and the hot writes."""

    def __init__(self, metrics: Metrics, limits: Limits, *, needs_keys: bool, **options: Any) -> None:
        super().__init__(needs_keys=needs_keys, **options)
        self.state.limits = limits
        self.hot_writes = HotWrites(super().__call__, metrics, limits)
        self.hot_batches = HotBatches(self.hot_writes, metrics, limit_bytes=limits.body_bytes)
        self.hot_reads = HotReads(self.hot_batches, metrics)
        self.door = Door(self.hot_reads, self._inside, metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.door(scope, receive, send)

    async def _inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.hot_reads(scope, receive, send)


class TracedApp(FrontedApp):
    """Every request goes by the framework, whose span of it all others are a part of: nothing is answered before."""

    async def _inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        await DocumentedApp.__call__(self, scope, receive, send)


OpenServices = Callable[[Settings, Recorder], AbstractAsyncContextManager[Services]]

_DESCRIPTION = """JSON entities and typed parameters out of PostgreSQL, through a cache that is never stale.

Every answer tells how it came about: `Cache-Status` (RFC 9211), `Age`, `Server-Timing`; `ETag` is the version.
Errors are problems (RFC 9457). [The dashboard](dashboard) shows how all of it does, and steers the cache."""


def create_app(
    settings: Settings | None = None, *, open_services: OpenServices | None = None,
    on_open: Callable[[], None] = lambda: None, telemetry: Telemetry | None = None,
) -> FastAPI:  # fmt: skip
    """The application. ``settings`` come from the environment where none are given.

    ``open_services`` opens what the routes are served from, when the app starts; by default the real services. These
    open without PostgreSQL and without Redis too: the app then listens, and says in /readyz what is missing.
    ``on_open`` is called when all is open, before the first request. ``telemetry`` is what the settings say, if not
    given.
    """
    settings = settings or Settings()
    version = _running_version()
    metrics = Metrics(
        settings.own_policies,
        version=version,
        bound_seconds=settings.bound_seconds,
        audit_samples_per_second=settings.audit.samples_per_second,
    )
    statistics = Statistics(metrics.registry)
    limits = Limits(
        settings.limits.body_bytes,
        settings.limits.json_depth,
        settings.limits.ttl_seconds,
        settings.relay.tombstone_retention_seconds,
    )
    if telemetry is None:
        telemetry = telemetry_by_environment(version) if settings.tracing.enabled else OFF
    app = (TracedApp if telemetry.is_on else FrontedApp)(
        metrics,
        limits,
        telemetry=telemetry.config,
        needs_keys=settings.needs_keys,
        title="Aside",
        version=version,
        description=_DESCRIPTION,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=partial(
            _lifespan,
            settings=settings,
            metrics=metrics,
            statistics=statistics,
            open_services=open_services or partial(open_real_services, seams=telemetry.seams),
            on_open=on_open,
            telemetry=telemetry,
        ),
    )
    _add_routes(app, metrics, statistics, limits=limits)
    check_guarded(app)
    add_doors(app, admin_port=settings.admin_port)
    add_short_routes(app)
    if telemetry.is_on:
        app.router.middleware_stack = NamedByRoute(app.router.middleware_stack)
    add_problem_handlers(app)
    app.add_middleware(RequestEnvelope, recorder=metrics)
    return app


def _add_routes(app: FastAPI, metrics: Metrics, statistics: Statistics, *, limits: Limits) -> None:
    for router in (
        entities_router(limits),
        parameters_router(limits),
        changes_router(),
        policies_router(limits),
        cache_stats_router(statistics.counts),
        cache_history_router(statistics.lately),
        steering_router(),
        keys_router(),
        health_router(),
        scrape_router(partial(expose, metrics.registry)),
    ):
        # Not `include_router`, which makes each route once more, for prefixes and dependencies that none of them gets:
        # half of the time in which an app is made.
        app.router.routes.extend(router.routes)
    add_docs(app)
    add_dashboard(app)


@asynccontextmanager
async def _lifespan(
    app: FastAPI, *, settings: Settings, metrics: Metrics, statistics: Statistics, open_services: OpenServices,
    on_open: Callable[[], None], telemetry: Telemetry,
) -> AsyncIterator[dict[str, Any]]:  # fmt: skip
    """Yields what a server may use of the app beside calling it: see `service.cli.protocol`."""
    assert isinstance(app, FrontedApp)
    async with telemetry, statistics.kept(), open_services(settings, metrics) as services:
        attach_services(
            app,
            entities=services.entities,
            parameters=services.parameters,
            health=services.health,
            cache=services.cache,
            policies=services.policies,
            steering=services.steering,
            feed=services.feed,
            access=services.access,
            keys=services.keys,
        )
        app.door.attach(services.shedding, services.rate_limits, services.access)
        app.hot_reads.attach(services.entities, services.parameters, services.access)
        app.hot_batches.attach(services.entities, services.parameters, services.access)
        app.hot_writes.attach(services.entities, services.access)
        loop = asyncio.get_running_loop()

        def begin() -> None:
            begin_draining(app)
            loop.call_soon_threadsafe(services.feed.stop_streams)

        with drained_on_sigterm(begin, drain_seconds=settings.drain_seconds):
            on_open()
            yield {SHED: metrics.shed} if telemetry.is_on else {SHED: metrics.shed, HOT_READS: app.door}


def begin_draining(app: FastAPI) -> None:
    """From now on /readyz answers 503 `draining`; everything else is served as before. Cannot be taken back."""
    app.state.draining = True


def _running_version() -> str:
    try:
        return metadata.version("aside")
    except metadata.PackageNotFoundError:  # a checkout that was never installed
        return "unknown"
