"""The rules of the house that can be executed."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "service").rglob("*.py"))
LONGEST = 300


def test_imports_run_one_way():
    lint = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_can_be_read_in_one_go(module):
    assert len(module.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_begins_with_what_it_decides(module):
    text = module.read_text()
    assert not text.strip() or text.startswith('"""')


def test_the_folder_of_the_migrations_does_not_shadow_the_package_of_that_name():
    assert list((ROOT / "alembic").rglob("__init__.py")) == []
