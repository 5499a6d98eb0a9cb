"""deploy/aws: as CloudFormation would read it, and every arrow of the picture made of resources that are there."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.support.compose import ROOT
from tests.unit.deploy.test_compose_file import said_by

FOLDER = ROOT / "deploy/aws"
TEMPLATES = sorted(FOLDER.glob("*.yaml"))


class _Loader(yaml.SafeLoader):
    """Short forms, `!Ref Name`, are lists of their tag and their value."""


def _short_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return [tag, loader.construct_scalar(node)]
    if isinstance(node, yaml.SequenceNode):
        return [tag, *loader.construct_sequence(node, deep=True)]
    assert isinstance(node, yaml.MappingNode)
    return [tag, loader.construct_mapping(node, deep=True)]


_Loader.add_multi_constructor("!", _short_form)
ALL = {path.name: yaml.load(path.read_text(), Loader=_Loader) for path in TEMPLATES}
RESOURCES = {name: resource for template in ALL.values() for name, resource in template["Resources"].items()}


def test_cfn_lint_has_nothing_to_say():
    assert said_by("cfn-lint", *TEMPLATES) == ""


def test_every_parameter_is_explained():
    assert [
        (file, name)
        for file, template in ALL.items()
        for name, parameter in template.get("Parameters", {}).items()
        if not parameter.get("Description")
    ] == []


def test_every_arrow_of_the_picture_has_its_resources():
    rows = [
        line.split("|") for line in (FOLDER / "README.md").read_text().splitlines() if " → " in line and "|" in line
    ]
    assert len(rows) >= 5
    for row in rows:
        named = re.findall(r"`(\w+)`", row[2])
        assert len(named) >= 2, row
        assert [name for name in named if name not in RESOURCES] == [], row


def test_what_one_template_imports_another_one_before_it_exports():
    exported: set[str] = set()
    for path in TEMPLATES:
        text = path.read_text()
        imported = set(re.findall(r'"Fn::ImportValue": !Sub "\$\{Name\}-([\w-]+)"', text))
        assert imported <= exported, path.name
        exported |= set(re.findall(r'Export: \{Name: !Sub "\$\{Name\}-([\w-]+)"\}', text))


def test_the_cache_user_is_the_one_that_the_compose_file_has():
    acl = (ROOT / "deploy/compose/valkey.acl").read_text()
    [ours] = re.findall(r"^user aside on \S+ (.*)$", acl, re.MULTILINE)
    assert RESOURCES["CacheUser"]["Properties"]["AccessString"].split() == ["on", *ours.split()]


@pytest.mark.parametrize("name", ["Task", "Migration"])
def test_no_secret_is_in_a_plain_variable_and_the_root_is_read_only(name):
    [container] = RESOURCES[name]["Properties"]["ContainerDefinitions"]
    assert container["ReadonlyRootFilesystem"] is True
    assert "TaskRoleArn" not in RESOURCES[name]["Properties"]
    plain = {variable["Name"] for variable in container["Environment"]}
    assert not any("PASSWORD" in variable for variable in plain)


def test_nothing_is_open_to_the_world():
    text = "".join(path.read_text() for path in TEMPLATES)
    assert "0.0.0.0/0" not in text
    assert "InternetGateway" not in text
    assert RESOURCES["Database"]["Properties"]["PubliclyAccessible"] is False
