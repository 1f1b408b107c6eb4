"""template.yaml as data: intrinsic functions stay what they are, `{"Ref": ...}` and so on."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

ROOT = Path(__file__).parents[2]


def load_template() -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(cfn_yaml.load(str(ROOT / "template.yaml"))))
    return plain


def of_type(template: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Properties by logical id."""
    return {
        logical_id: resource.get("Properties", {})
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def statements(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Those that depend on a condition, too."""
    for statement in document["Statement"]:
        yield statement["Fn::If"][1] if "Fn::If" in statement else statement


def role_statements(role: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [one for policy in role["Policies"] for one in statements(policy["PolicyDocument"])]


def if_own_key(yes: Any, no: Any = None) -> dict[str, Any]:
    """`!If [HasOwnKey, yes, no]`; None is AWS::NoValue."""
    either = [{"Ref": "AWS::NoValue"} if one is None else one for one in (yes, no)]
    return {"Fn::If": ["HasOwnKey", *either]}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def named_resources(node: Any) -> set[str]:
    """Logical ids and parameters that Ref, Fn::GetAtt and Fn::Sub in `node` mention."""
    if isinstance(node, list):
        return set().union(*map(named_resources, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    found = set()
    for key, value in node.items():
        if key == "Ref":
            found.add(value)
        elif key == "Fn::GetAtt":
            found.add(value[0] if isinstance(value, list) else value.split(".")[0])
        elif key == "Fn::Sub":
            found |= set(re.findall(r"\$\{([A-Za-z0-9]+)", as_list(value)[0]))
        found |= named_resources(value)
    return found


def substitute(text: str, values: Mapping[str, str]) -> str:
    """What Fn::Sub makes of `text`; a name without a value is a KeyError."""
    filled = re.sub(r"\$\{([^!}][^}]*)\}", lambda match: values[match[1]], text)
    return filled.replace("${!", "${")
