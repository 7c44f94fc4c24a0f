"""The CloudFormation templates as plain data: `!Ref X` reads as {"Ref": "X"}, any other tag as {"Fn::Name": value}."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
STACKS = (
    "roles",
    "keys",
    "storage",
    "network",
    "guarantees",
    "permissions",
    "job_permissions",
    "service_permissions",
    "watch",
)

type Resource = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """SafeLoader with CloudFormation's short forms."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def template(name: str = "template") -> dict[str, Any]:
    path = ROOT / "template.yaml" if name == "template" else ROOT / "stacks" / f"{name}.yaml"
    loaded: dict[str, Any] = yaml.load(path.read_text(), _Loader)  # noqa: S506  (a SafeLoader)
    return loaded


def resources(kind: str) -> Iterator[tuple[str, Resource]]:
    """Every resource of a type in any template, with its logical id."""
    for name in ("template", *STACKS):
        for logical_id, resource in template(name)["Resources"].items():
            if resource["Type"] == kind:
                yield logical_id, resource


def properties(kind: str) -> dict[str, Resource]:
    return {logical_id: resource["Properties"] for logical_id, resource in resources(kind)}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The statements of a policy document, also those that only a condition puts there."""
    for statement in document["Statement"]:
        yield from statement["Fn::If"][1:2] if "Fn::If" in statement else [statement]


def text(value: Any) -> str:
    """The text of a name or ARN: what `!Sub` says, or the literal."""
    return value["Fn::Sub"] if isinstance(value, dict) and "Fn::Sub" in value else str(value)
