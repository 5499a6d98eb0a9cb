"""A port that cannot be had: said before anything else is started."""

import socket

import pytest
from typer.testing import CliRunner

from service.cli import main


@pytest.mark.parametrize("command", ["serve", "dev"])
def test_a_port_that_is_taken_is_refused_with_exit_code_1_before_anything_starts(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("ASIDE_PORT", str(port))
        result = CliRunner().invoke(main, [command])
    assert result.exit_code == 1
    assert f"port {port} on 127.0.0.1 is taken" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_address_of_somebody_else_is_refused_with_exit_code_1(monkeypatch):
    monkeypatch.setenv("ASIDE_HOST", "192.0.2.1")
    monkeypatch.setenv("ASIDE_PORT", "0")
    monkeypatch.setenv("ASIDE_ACCESS__REQUIRED", "false")
    result = CliRunner().invoke(main, ["serve"])
    assert result.exit_code == 1
    assert "cannot listen on 192.0.2.1" in result.stderr
