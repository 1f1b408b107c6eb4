"""Requests of the older Query protocol: flat form parameters as nested members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def nested(parameters: Mapping[str, str]) -> dict[str, Any]:
    """`{"Tags.member.1.Key": "k"}` as `{"Tags": [{"Key": "k"}]}`; every value stays text."""
    tree: dict[str, Any] = {}
    for name, value in parameters.items():
        *parents, last = name.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[last] = value
    return {name: _with_lists(branch) for name, branch in tree.items()}


def _with_lists(branch: Any) -> Any:
    if not isinstance(branch, dict):
        return branch
    if set(branch) == {"member"}:
        numbered = sorted(branch["member"].items(), key=lambda item: int(item[0]))
        return [_with_lists(item) for _, item in numbered]
    return {name: _with_lists(part) for name, part in branch.items()}
