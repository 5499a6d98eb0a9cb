"""What a command says to a setting that cannot be, and how it ends."""

import pytest
from typer.testing import CliRunner

from service.cli import main
from service.cli.refusals import variable_of


@pytest.fixture
def aside(monkeypatch):
    """Runs a command with some variables set, and restores the environment that it leaves."""

    def run(*arguments, **environment):
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            return CliRunner().invoke(main, arguments)

    return run


@pytest.mark.parametrize("command", ["serve", "dev", "migrate", "demo"])
def test_every_command_refuses_a_bad_setting_with_exit_code_2_and_its_name(aside, command):
    result = aside(command, ASIDE_PORT="many")
    assert result.exit_code == 2
    assert "ASIDE_PORT: " in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        pytest.param("ASIDE_WORKERS", "0", "ASIDE_WORKERS: ", id="a field"),
        pytest.param(
            "ASIDE_DATABASE__LOAD_CONNECTIONS", "none", "ASIDE_DATABASE__LOAD_CONNECTIONS: ", id="a nested one"
        ),
        pytest.param("ASIDE_POLICIES", "no json", "ASIDE_POLICIES is not the JSON", id="JSON that is none"),
        pytest.param(
            "ASIDE_POLICIES",
            '{"price": {"ttl_seconds": -1}}',
            "ASIDE_POLICIES (at price.ttl_seconds): ",
            id="inside JSON",
        ),
        pytest.param("ASIDE_RELAY__POLL_SECONDS", "60", "relay.poll_seconds must not exceed", id="two that do not fit"),
    ],
)
def test_the_variable_at_fault_is_named(aside, variable, value, named):
    result = aside("serve", **{variable: value})
    assert result.exit_code == 2
    assert named in result.stderr


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"ASIDE_RUN_TIME_PASSWORD": "hunter2"}, "no role that it belongs to"),
        ({"ASIDE_RUN_TIME_PASSWORD": "hunter2", "ASIDE_RUN_TIME_PASSWORD_FILE": "/x"}, "which of them counts"),
    ],
)
def test_a_password_that_cannot_be_meant_is_refused_before_anything_is_migrated(aside, variables, named):
    result = aside("migrate", **variables)
    assert result.exit_code == 2
    assert named in result.stderr
    assert "hunter2" not in result.output


def test_no_value_is_repeated_for_it_may_be_a_secret(aside):
    assert "hunter2" not in aside("serve", ASIDE_HOST="x", ASIDE_PORT="hunter2").output


@pytest.mark.parametrize(
    ("location", "variable"),
    [
        (["port"], "ASIDE_PORT"),
        (["database", "load_connections"], "ASIDE_DATABASE__LOAD_CONNECTIONS"),
        (["DATABASE_URL"], "DATABASE_URL"),
        (["policies", "price", "strategy"], "ASIDE_POLICIES (at price.strategy)"),
        ([], "The settings together"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_place_in_the_settings_has_its_variable(location, variable):
    assert variable_of(location) == variable


def test_an_option_out_of_range_is_refused_with_exit_code_2(aside):
    result = aside("serve", "--port", "65536")
    assert result.exit_code == 2
    assert "--port" in result.stderr


def test_no_command_shows_the_commands(aside):
    result = aside()
    for command in ("serve", "dev", "migrate", "demo"):
        assert command in result.output
