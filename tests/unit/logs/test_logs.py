"""One line per event, everything through one chain, and no secret in any of it."""

from __future__ import annotations

import asyncio
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from service.domain.key_text import compose_key
from service.errors import DatabaseUnavailableError
from service.logs import configure_logging, redact_url
from service.logs.configuration import Format
from tests.unit.api.conftest import make_app, open_client
from tests.unit.api.stand_in import StandIn

SECRET = "hunter2-swordfish"


class Lines:
    """What was written to stderr."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self._text = ""

    def text(self) -> str:
        self._text += self._capture.readouterr().err
        return self._text

    def read_all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Lines(capsys)
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_an_event_is_one_line_of_json_with_its_fields(log: Lines) -> None:
    configure_logging("info", "json")
    structlog.get_logger("aside.relay").info("relay_leads", term=3)
    [line] = log.read_all()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "relay_leads", "term": 3, "level": "info", "logger": "aside.relay"}


def test_the_standard_librarys_records_look_the_same(log: Lines) -> None:
    configure_logging("info", "json")
    logging.getLogger("uvicorn.error").warning("Shutting down %s", "now", extra={"color_message": "!"})
    [line] = log.read_all()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "Shutting down now", "level": "warning", "logger": "uvicorn.error"}


def test_a_request_id_is_on_every_line_of_its_request(log: Lines) -> None:
    configure_logging("info", "json")
    structlog.contextvars.bind_contextvars(request_id="abc")
    structlog.get_logger().info("one")
    logging.getLogger("alembic").error("other")
    assert [line["request_id"] for line in log.read_all()] == ["abc", "abc"]


def test_what_is_below_the_level_is_not_written(log: Lines) -> None:
    configure_logging("info", "json")
    structlog.get_logger().debug("quiet")
    logging.getLogger("sqlalchemy.engine").info("INSERT … %s", SECRET)
    logging.getLogger("uvicorn.access").info("GET /?token=%s", SECRET)
    assert log.text() == ""


def test_warnings_are_logged(log: Lines) -> None:
    configure_logging("info", "json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    [line] = log.read_all()
    assert line["logger"] == "py.warnings"


def test_people_get_lines_for_people(log: Lines) -> None:
    configure_logging("info", "console")
    structlog.get_logger("aside").info("relay_leads", term=3)
    assert "relay_leads" in log.text()
    assert not log.text().startswith("{")


def test_the_last_configuration_holds_and_nothing_is_written_twice(log: Lines) -> None:
    configure_logging("info", "json")
    configure_logging("info", "json")
    logging.getLogger("uvicorn").error("once")
    assert len(log.read_all()) == 1


@pytest.mark.parametrize(
    ("url", "redacted"),
    [
        ("postgresql://u:p@h:5432/d", "postgresql://***@h:5432/d"),
        ("postgresql+asyncpg://u:p%40x@h/d", "postgresql+asyncpg://***@h/d"),
        ("redis://:p@h:6379/0", "redis://***@h:6379/0"),
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("postgresql://h/d?password=p&sslmode=require", "postgresql://h/d?password=***&sslmode=require"),
        ("postgresql://h/d?user=u&PASSWORD=p", "postgresql://h/d?user=u&PASSWORD=***"),
        ("postgresql://u:p@ss@h/d", "postgresql://***@h/d"),
        ("cannot reach 'redis://a:b@h' or 'redis://c:d@i'", "cannot reach 'redis://***@h' or 'redis://***@i'"),
        ("postgresql://u:p/q?r#s@h/d", "postgresql://***@h/d"),
        ("mail to a@b.c", "mail to a@b.c"),
        ("", ""),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, redacted: str) -> None:
    assert redact_url(url) == redacted


def test_a_password_is_hidden_wherever_an_event_has_it(log: Lines) -> None:
    configure_logging("info", "json")
    url = f"postgresql://aside:{SECRET}@db/aside"
    structlog.get_logger().info("connecting", url=url, nested={"urls": [url]}, pool=object())
    logging.getLogger("asyncpg").error("cannot connect to %s", url)
    assert SECRET not in log.text()
    assert log.read_all()[0]["nested"] == {"urls": ["postgresql://***@db/aside"]}
    assert log.read_all()[0]["pool"] == "<object>"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_key_is_hidden_wherever_an_event_has_it_but_for_its_id(log: Lines, log_format: Format) -> None:
    configure_logging("info", log_format)
    key = compose_key("0123456789ab", "z" * 32)
    structlog.get_logger().info("asked", path=f"/v1/entities/x/{key}", deep={"list": [f"a{key}b", key[:-8]]})
    logging.getLogger("uvicorn.error").error("cannot read %s", key)
    assert "z" * 32 not in log.text()
    assert log.text().count("aside_live_0123456789ab_***") == 4


def test_an_exception_tells_where_it_arose_and_quotes_no_data(log: Lines) -> None:
    configure_logging("info", "json")
    try:
        try:
            json.loads(f'{{"password": "{SECRET}"', object_hook=None)
        except ValueError as error:
            raise LookupError(SECRET) from error
    except LookupError:
        structlog.get_logger().exception("failed")
    [line] = log.read_all()
    assert SECRET not in log.text()
    assert [exception["type"] for exception in line["exceptions"]] == [
        "json.decoder.JSONDecodeError",
        "builtins.LookupError",
    ]
    assert line["exceptions"][1]["at"][0].endswith(" test_an_exception_tells_where_it_arose_and_quotes_no_data")


def test_an_exception_of_our_own_or_the_systems_says_what_it_has_to_say(log: Lines) -> None:
    configure_logging("info", "json")
    for error in (DatabaseUnavailableError("cannot be reached"), ConnectionRefusedError(111, "refused")):
        logging.getLogger("x").error("failed", exc_info=error)
    texts = [line["exceptions"][0]["text"] for line in log.read_all()]
    assert texts == ["cannot be reached", "[Errno 111] refused"]


def test_a_group_is_told_member_by_member(log: Lines) -> None:
    configure_logging("info", "json")
    logging.getLogger("x").error("failed", exc_info=ExceptionGroup("both", [OSError("one"), KeyError(SECRET)]))
    [group] = log.read_all()[0]["exceptions"]
    assert [member["type"] for member in group["exceptions"]] == ["builtins.OSError", "builtins.KeyError"]
    assert SECRET not in log.text()


async def test_a_lost_exception_of_a_task_is_reported_without_what_it_says(log: Lines) -> None:
    configure_logging("info", "json")
    task = asyncio.get_running_loop().create_future()
    task.set_exception(ValueError(SECRET))
    task.__del__()
    assert "never retrieved" in log.text()
    assert SECRET not in log.text()


async def test_nothing_that_a_client_sends_reaches_the_log(log: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://u:{SECRET}@db/x")
    configure_logging("debug", "json")
    app = make_app(stand_in := StandIn())
    headers = {"Authorization": SECRET, "Cookie": SECRET, "X-Request-Id": "abc"}
    async with app.router.lifespan_context(app), open_client(app) as client:
        for body in (f'{{"a": "{SECRET}"', f'{{"{SECRET}": 1, "{SECRET}": 2}}', f'["{SECRET}"]'):
            path = f"/v1/entities/country/JP?token={SECRET}"
            await client.put(path, content=body, headers={**headers, "Content-Type": "application/json"})
        stand_in.failure = ZeroDivisionError(SECRET)
        answer = await client.put(path, content="1", headers={**headers, "Content-Type": "application/json"})
        assert answer.status_code == 500
        # A server logs what passes through the app; so does this.
        try:
            raise stand_in.failure
        except ZeroDivisionError:
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    assert log.read_all()[-1]["request_id"] == "abc"
    assert SECRET not in log.text()
