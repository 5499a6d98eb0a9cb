"""Where the servers are and the passwords to them: the forms in which they are handed out, and what is in files."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection

from service.addresses import Address, is_readable, with_password, without_credentials
from service.cache.lane import connector
from service.settings import Settings

SECRET = "a/b:c@d?e#f%20 é"
ESCAPED = "a%2Fb%3Ac%40d%3Fe%23f%2520%20%C3%A9"


def settings_of(monkeypatch, **variables: str | Path) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, str(value))
    return Settings()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://ann@db:5432/aside", f"postgresql://ann:{ESCAPED}@db:5432/aside"),
        ("postgres://ann:old@db/aside?sslmode=require", f"postgres://ann:{ESCAPED}@db/aside?sslmode=require"),
        ("postgresql://ann@one:5432,two:5432/aside", f"postgresql://ann:{ESCAPED}@one:5432,two:5432/aside"),
        ("postgresql://ann@/aside?host=/run/pg", f"postgresql://ann:{ESCAPED}@/aside?host=/run/pg"),
        ("postgresql:///aside?host=/run/pg", f"postgresql://:{ESCAPED}@/aside?host=/run/pg"),
        ("rediss://cache:6379/0", f"rediss://:{ESCAPED}@cache:6379/0"),
        ("rediss://ann@[::1]:6379", f"rediss://ann:{ESCAPED}@[::1]:6379"),
        ("unix://ann@/run/valkey.sock", f"unix://ann:{ESCAPED}@/run/valkey.sock"),
    ],
)
def test_a_password_of_any_signs_goes_into_a_url_of_any_form(url, expected):
    assert with_password(url, SECRET) == expected
    assert with_password(expected, SECRET) == expected
    assert is_readable(url)
    assert is_readable(expected)


@pytest.mark.parametrize("password", ["hunter2/x", "4711/x", "hunter2?x", "4711?x", "hunter2#x", "4711#x", "hun@ter/2"])
@pytest.mark.parametrize("variable", ["DATABASE_URL", "REDIS_URL"])
def test_a_password_that_ends_its_url_early_is_refused_and_not_quoted(monkeypatch, variable, password):
    with pytest.raises(ValidationError) as refusal:
        settings_of(monkeypatch, **{variable: f"postgresql://ann:{password}@db:5432/aside"})
    [fault] = refusal.value.errors(include_input=False)
    assert fault["loc"] == (variable,)
    assert "/ is written %2F" in fault["msg"]
    assert password[:4] not in fault["msg"]


@pytest.mark.parametrize("url", ["unix:///run/redis@1/valkey.sock", "postgresql:///aside?user=ann@azure&host=db"])
def test_a_sign_that_ends_no_password_is_no_fault(url):
    assert is_readable(url)


def test_a_url_without_credentials_leads_to_the_same_place():
    assert without_credentials("rediss://ann:x@cache:6379/1?a=b") == "rediss://cache:6379/1?a=b"
    assert without_credentials("unix:///run/valkey.sock") == "unix:///run/valkey.sock"


def test_a_password_may_be_a_variable_of_its_own(monkeypatch):
    settings = settings_of(monkeypatch, DATABASE_URL="postgresql://ann@db/aside", DATABASE_PASSWORD=SECRET)
    assert settings.database_url.get_secret_value() == f"postgresql://ann:{ESCAPED}@db/aside"
    assert SECRET not in repr(settings)
    assert ESCAPED not in repr(settings.database_address)


def test_a_rotated_file_counts_from_the_next_time_that_it_is_asked_for(monkeypatch, tmp_path):
    file = tmp_path / "password"
    file.write_text("first\n")
    settings = settings_of(monkeypatch, REDIS_URL="rediss://ann@cache", REDIS_PASSWORD_FILE=file)
    assert settings.redis_url.get_secret_value() == "rediss://ann:first@cache"
    file.write_text("second\n")
    assert settings.redis_address() == "rediss://ann:second@cache"


def test_a_whole_url_may_be_in_a_file_and_its_password_in_another(monkeypatch, tmp_path):
    url, password = tmp_path / "url", tmp_path / "password"
    url.write_text("postgres://ann@db/aside\n")
    password.write_text("secret\n")
    settings = settings_of(monkeypatch, DATABASE_URL_FILE=url, DATABASE_PASSWORD_FILE=password)
    assert settings.database_url.get_secret_value() == "postgres://ann:secret@db/aside"
    url.write_text("postgres://bob@db/aside\n")
    assert settings.database_address() == "postgres://bob:secret@db/aside"
    assert settings.database_address.may_change


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"DATABASE_URL": "postgres://x", "DATABASE_URL_FILE": "/x"}, "DATABASE_URL and DATABASE_URL_FILE are both"),
        (
            {"REDIS_PASSWORD": "x", "REDIS_PASSWORD_FILE": "/x", "REDIS_URL": "redis://x"},
            "REDIS_PASSWORD_FILE are both",
        ),
        ({"REDIS_PASSWORD": "x"}, "REDIS_URL is missing"),
        ({"REDIS_URL_FILE": "/not/there"}, "/not/there"),
        ({"DATABASE_URL_FILE": "/dev/null"}, "/dev/null is empty"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(monkeypatch, variables, named):
    with pytest.raises(ValidationError, match=named):
        settings_of(monkeypatch, **variables)


@pytest.mark.parametrize(
    ("url", "kind", "expected"),
    [
        pytest.param(
            "rediss://master.aside.abc123.use1.cache.amazonaws.com:6379", SSLConnection, (None, None),
            id="ElastiCache, primary endpoint, no login",
        ),
        pytest.param(
            "rediss://:a%2Fb@master.aside.abc123.use1.cache.amazonaws.com:6379/0", SSLConnection, (None, "a/b"),
            id="ElastiCache, AUTH token",
        ),
        pytest.param(
            "valkeys://aside:pw@cache:6379?ssl_ca_certs=/ca.pem", SSLConnection, ("aside", "pw"),
            id="Valkey, user, own authority",
        ),
        pytest.param("redis://aside:pw@cache", Connection, ("aside", "pw"), id="an ACL user, no TLS"),
        pytest.param("unix://aside:pw@/run/v.sock?db=0", UnixDomainSocketConnection, ("aside", "pw"), id="a socket"),
    ],
)  # fmt: skip
def test_urls_of_caches_are_taken_in_the_forms_in_which_they_are_handed_out(url, kind, expected):
    connection = connector(url)()
    assert type(connection) is kind
    assert (connection.username, connection.password) == expected


def test_who_logs_in_to_redis_is_asked_at_each_connect(tmp_path):
    file = tmp_path / "password"
    file.write_text("first")
    connection = connector(Address("rediss://ann@cache:6379/0", password_file=file))()
    file.write_text("a/b")
    assert connection.credential_provider.get_credentials() == ("ann", "a/b")
    assert connection.host == "cache"


def test_a_login_without_a_user_is_that_of_the_default_user(tmp_path):
    file = tmp_path / "url"
    file.write_text("rediss://:token@cache:6379")
    connection = connector(Address("", url_file=file))()
    assert connection.credential_provider.get_credentials() == ("token",)
