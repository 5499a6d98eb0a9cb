"""Commands that are imported when they are asked for."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from service.cli import main
from service.cli.lazily import PLACES


@pytest.mark.parametrize("name", PLACES)
def test_a_command_of_another_module_has_its_help(name):
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert f"aside {name}" in " ".join(result.output.split()) or f"main {name}" in " ".join(result.output.split())


def test_the_help_lists_every_command_in_the_order_of_the_alphabet():
    output = CliRunner().invoke(main, ["--help"], terminal_width=200).output
    listed = [line.split()[1] for line in output.split("Commands")[1].splitlines() if line.startswith("│ ")]
    names = [each for each in listed if each in {*PLACES, "serve", "dev", "migrate", "demo", "warm"}]
    assert names == sorted([*PLACES, "serve", "dev", "migrate", "demo", "warm"])


def test_a_mistyped_name_is_answered_with_the_right_one():
    assert "Did you mean 'policies'?" in CliRunner().invoke(main, ["policy"]).output


def test_whoever_serves_imports_nothing_that_only_others_need():
    program = "import sys, service.app, service.cli.serving as s; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = set(ran.stdout.split())
    assert not imported & {"alembic", "httpx", "rich.progress", "service.bench", "service.doctor"}
