"""The app over a stand-in: no sockets, no servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from service.app import create_app
from service.cache.recorder import Recorder
from service.settings import LimitSettings, Settings
from service.wiring import Services
from tests.unit.api.stand_in import StandIn


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn()


@pytest.fixture
def app(stand_in: StandIn) -> FastAPI:
    return make_app(stand_in)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with app.router.lifespan_context(app), open_client(app) as client:
        yield client


def make_app(stand_in: StandIn, **limits: float) -> FastAPI:
    @asynccontextmanager
    async def open_stand_in(_settings: Settings, recorder: Recorder) -> AsyncIterator[Services]:
        stand_in.recorder = recorder
        yield stand_in.services()

    factory: Callable[[Settings, Recorder], AbstractAsyncContextManager[Services]] = open_stand_in
    settings = Settings.model_construct(limits=LimitSettings.model_validate(limits))
    return create_app(settings, open_services=factory)


def open_client(app: FastAPI) -> httpx.AsyncClient:
    # Errors become answers, as behind a real server.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://aside")
