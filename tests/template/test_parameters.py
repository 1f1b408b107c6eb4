"""Parameters: documented, bounded, grouped; what cannot work is refused before anything is made."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

import pytest
from template_reader import ROOT

PROFILES = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))
GPU_BASICS = {"Device": "cuda", "WheelIndexUrl": "https://download.pytorch.org/whl/cu130"}


def overrides(profile: str) -> dict[str, str]:
    pairs = PROFILES[profile]["deploy"]["parameters"].get("parameter_overrides", [])
    split = (pair.partition("=") for pair in pairs)
    return {name: value.strip("'") for name, _, value in split}


def refusals(template: Mapping[str, Any], values: Mapping[str, str]) -> list[str]:
    """Descriptions of the assertions that fail; those that need the account's VPCs are left out."""
    failed = []
    for rule in template["Rules"].values():
        if "RuleCondition" in rule and not holds(rule["RuleCondition"], values):
            continue
        for assertion in rule["Assertions"]:
            if "Fn::EachMemberEquals" in assertion["Assert"]:
                continue
            if not holds(assertion["Assert"], values):
                failed.append(assertion["AssertDescription"])
    return failed


def holds(expression: Any, values: Mapping[str, str]) -> Any:
    """The functions of the Rules section, as far as the template uses them."""
    if not isinstance(expression, dict):
        return expression
    [(function, argument)] = expression.items()
    if function == "Ref":
        return values[argument]
    if function == "Fn::Not":
        return not holds(argument[0], values)
    if function == "Fn::Or":
        return any(holds(one, values) for one in argument)
    if function == "Fn::Equals":
        return holds(argument[0], values) == holds(argument[1], values)
    if function == "Fn::Contains":
        return holds(argument[1], values) in argument[0]
    raise AssertionError(f"{function} is not evaluated here")


def complaint(parameter: Mapping[str, Any], value: str) -> str | None:
    """What CloudFormation would say about a value, or None."""
    if "AllowedValues" in parameter and value not in map(str, parameter["AllowedValues"]):
        return f"{value!r} is not one of {parameter['AllowedValues']}"
    if "AllowedPattern" in parameter and not re.fullmatch(parameter["AllowedPattern"], value):
        return f"{value!r} does not match {parameter['AllowedPattern']}"
    if "MinValue" in parameter:
        low, high = parameter["MinValue"], parameter["MaxValue"]
        if not low <= float(value) <= high:
            return f"{value} is not within {low} to {high}"
    return None


def test_every_parameter_is_described_and_bounded(template: dict[str, Any]) -> None:
    for name, parameter in template["Parameters"].items():
        assert len(parameter["Description"]) > 20, name
        if parameter["Type"] == "Number":
            assert {"MinValue", "MaxValue"} <= set(parameter) or "AllowedValues" in parameter, name
        if parameter["Type"] == "String":
            assert "AllowedPattern" in parameter or "AllowedValues" in parameter, name


def test_every_parameter_is_labelled_and_in_one_group(template: dict[str, Any]) -> None:
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])
    assert sorted(interface["ParameterLabels"]) == sorted(template["Parameters"])


def test_what_is_measured_says_its_unit(template: dict[str, Any]) -> None:
    for name, parameter in template["Parameters"].items():
        for word, suffix in (("seconds", "Seconds"), ("days", "Days"), ("gib", "GiB")):
            if parameter["Type"] == "Number" and parameter["Description"].lower().startswith(word):
                assert name.endswith(suffix), name


def test_defaults_are_allowed(template: dict[str, Any], parameter_defaults: dict[str, str]) -> None:
    for name, value in parameter_defaults.items():
        assert complaint(template["Parameters"][name], value) is None, name
    assert refusals(template, parameter_defaults) == []


@pytest.mark.parametrize("profile", ["gpu", "local"])
def test_profiles_give_only_allowed_values_of_known_parameters(
    profile: str, template: dict[str, Any], parameter_defaults: dict[str, str]
) -> None:
    given = overrides(profile)
    for name, value in given.items():
        assert complaint(template["Parameters"][name], value) is None, name
    assert refusals(template, {**parameter_defaults, **given}) == []


@pytest.mark.parametrize("most", range(1, 10))
def test_a_minimum_above_the_maximum_is_refused(
    most: int, template: dict[str, Any], parameter_defaults: dict[str, str]
) -> None:
    def refused(least: int) -> list[str]:
        sizes = {"MinSize": str(least), "MaxSize": str(most)}
        return refusals(template, {**parameter_defaults, **sizes})

    assert [least for least in range(most + 1) if refused(least)] == []
    for least in (most + 1, 10, 1000):
        [message] = refused(least)
        assert message.startswith(f"MaxSize is {most},")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"Device": "cuda"}, "CPU index", id="cuda with wheels for the CPU"),
        pytest.param(GPU_BASICS, "has no GPU", id="cuda on an instance without a GPU"),
    ],
)
def test_cuda_is_refused_where_it_cannot_work(
    given: dict[str, str],
    expected: str,
    template: dict[str, Any],
    parameter_defaults: dict[str, str],
) -> None:
    assert any(expected in one for one in refusals(template, {**parameter_defaults, **given}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PyTorchPackages", 'torch"; rm -rf /; "'),
        ("PyTorchPackages", "torch $(reboot)"),
        ("PyTorchPackages", "--index-url=http://elsewhere torch"),
        ("WheelIndexUrl", "http://unencrypted.example/simple"),
        ("WheelIndexUrl", 'https://a.example/"$(reboot)"'),
        ("InstancePython", "python3.12; reboot"),
        ("ExistingJobsQueueArn", "arn:aws:sqs:us-east-1:123456789012:jobs.fifo"),
        ("AlertEmail", "nobody"),
        ("InstanceType", "t3.medium extra"),
    ],
)
def test_what_would_break_out_of_its_place_is_refused(
    name: str, value: str, template: dict[str, Any]
) -> None:
    assert complaint(template["Parameters"][name], value) is not None
