"""Functions: a log that ends, failures that arrive somewhere, settings that fit the code."""

from dataclasses import fields
from typing import Any

import pytest
from template_reader import ROOT, named_resources, of_type

from pilotlight.scaling.watch import MINUTE_SECONDS
from pilotlight.settings.commands import CommandResultSettings, LifecycleActionSettings
from pilotlight.settings.environment import Settings
from pilotlight.settings.queue_depth import QueueDepthSettings
from pilotlight.settings.reconcile import ReconcileSettings

SETTINGS: dict[str, type[Settings]] = {
    "OnLifecycleAction": LifecycleActionSettings,
    "OnCommandResult": CommandResultSettings,
    "OnQueueDepth": QueueDepthSettings,
    "Reconcile": ReconcileSettings,
}


def functions(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return of_type(template, "AWS::Serverless::Function")


def test_all_functions_are_known_here(template: dict[str, Any]) -> None:
    assert set(functions(template)) == set(SETTINGS)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_function_writes_to_its_own_log_group_which_forgets(
    name: str, template: dict[str, Any]
) -> None:
    resources = list(template["Resources"])
    assert resources[resources.index(name) + 1] == f"{name}LogGroup"
    assert functions(template)[name]["LoggingConfig"]["LogGroup"] == {"Ref": f"{name}LogGroup"}
    log_group = of_type(template, "AWS::Logs::LogGroup")[f"{name}LogGroup"]
    assert log_group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_function_has_a_role_of_its_own(name: str, template: dict[str, Any]) -> None:
    assert functions(template)[name]["Role"] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_environment_is_what_the_code_reads_and_no_more(
    name: str, template: dict[str, Any]
) -> None:
    shared = template["Globals"]["Function"]["Environment"]["Variables"]
    own = functions(template)[name]["Environment"]["Variables"]
    given = {variable for variable in {**shared, **own} if not variable.startswith("POWERTOOLS_")}
    assert given == {spec.name.upper() for spec in fields(SETTINGS[name])}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_parameter_cannot_be_set_to_what_the_code_refuses(
    name: str, template: dict[str, Any]
) -> None:
    variables = functions(template)[name]["Environment"]["Variables"]
    for spec in fields(SETTINGS[name]):
        value = variables.get(spec.name.upper())
        parameter = template["Parameters"].get(value["Ref"]) if value and "Ref" in value else None
        if parameter and parameter["Type"] == "Number":
            assert spec.metadata["low"] <= parameter["MinValue"], spec.name
            assert spec.metadata["high"] >= parameter["MaxValue"], spec.name


@pytest.mark.parametrize("name", SETTINGS)
def test_the_handler_is_where_the_template_says(name: str, template: dict[str, Any]) -> None:
    folder, module, handler = functions(template)[name]["Handler"].split(".")
    source = (ROOT / "functions" / folder / f"{module}.py").read_text("utf-8")
    assert f"def {handler}(" in source


def test_a_batch_reports_the_records_that_failed(template: dict[str, Any]) -> None:
    for name, function in functions(template).items():
        for event in function["Events"].values():
            if event["Type"] == "SQS":
                reported = event["Properties"]["FunctionResponseTypes"]
                assert reported == ["ReportBatchItemFailures"], name


@pytest.mark.parametrize("name", ["OnQueueDepth", "Reconcile"])
def test_an_invocation_without_a_queue_leaves_its_failures_in_one(
    name: str, template: dict[str, Any]
) -> None:
    config = functions(template)[name]["EventInvokeConfig"]
    assert config["DestinationConfig"]["OnFailure"] == {
        "Type": "SQS",
        "Destination": {"Fn::GetAtt": ["FailedEventsQueue", "Arn"]},
    }


def test_the_watch_can_be_turned_off(template: dict[str, Any]) -> None:
    ticks = functions(template)["OnQueueDepth"]["Events"]["Ticks"]["Properties"]
    assert ticks["Enabled"] == {"Fn::If": ["Watches", True, False]}


def test_ticks_live_until_they_are_due_and_do_not_pile_up(template: dict[str, Any]) -> None:
    retention = of_type(template, "AWS::SQS::Queue")["WatchQueue"]["MessageRetentionPeriod"]
    assert MINUTE_SECONDS < retention <= 2 * MINUTE_SECONDS


def test_every_function_is_watched_for_errors(template: dict[str, Any]) -> None:
    alarm = of_type(template, "AWS::CloudWatch::Alarm")["FunctionErrorsAlarm"]
    assert named_resources(alarm["Metrics"]) == set(SETTINGS)
