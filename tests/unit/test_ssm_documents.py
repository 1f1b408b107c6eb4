import json
import subprocess

import pytest

from local.services.ssm_document_store import DocumentStore
from local.services.ssm_documents import parse_document
from local.services.ssm_errors import SsmError

YAML_DOCUMENT = """
schemaVersion: "2.2"
description: check
parameters:
  seconds: {type: Integer, default: 60}
  name: {type: String, interpolationType: ENV_VAR, allowedPattern: "^[a-z;$() ]+$"}
  extra: {type: StringList, default: []}
  level: {type: String, default: low, allowedValues: [low, high]}
mainSteps:
  - action: aws:runPowerShellScript
    name: windows
    precondition: {StringEquals: [platformType, Windows]}
    inputs: {runCommand: ["exit 1"]}
  - action: aws:runShellScript
    name: linux
    precondition: {StringEquals: [platformType, Linux]}
    inputs:
      timeoutSeconds: "{{ seconds }}"
      workingDirectory: /tmp
      runCommand:
        - echo "$SSM_name {{ level }}"
        - "{{ extra }}"
        - echo {{name}}
"""


def plan(**given: list[str]):
    return parse_document(YAML_DOCUMENT, "YAML").plan(given)


def test_only_the_steps_for_linux_are_planned():
    assert [step.name for step in plan(name=["a"])] == ["linux"]


def test_values_replace_placeholders_and_a_string_list_becomes_lines():
    (step,) = plan(name=["a"], extra=["one", "two"], seconds=["5"], level=["high"])
    lines = step.script.splitlines()
    assert lines == ['echo "$SSM_name high"', "one", "two", "echo {{name}}"]
    assert step.timeout_seconds == 5


def test_a_value_given_as_environment_variable_is_never_part_of_the_script():
    (step,) = plan(name=["$(id); a"])
    assert "id" not in step.script
    assert step.environment == {"SSM_name": "$(id); a"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "requires a value"),
        ({"name": ["a"], "other": ["b"]}, "not in the document"),
        ({"name": ["UPPER"]}, "not matching"),
        ({"name": ["a"], "seconds": ["soon"]}, "not an Integer"),
        ({"name": ["a"], "level": ["middle"]}, "not in [low, high]"),
        ({"name": ["a", "b"]}, "takes one value"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(given, words):
    with pytest.raises(SsmError, match=r"InvalidParameters") as refused:
        plan(**given)
    assert words in refused.value.message


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"schemaVersion": "0.3"}, "InvalidDocumentSchemaVersion"),
        ({"mainSteps": []}, "InvalidDocumentContent"),
        ({"mainSteps": [{"action": "aws:sleep", "name": "s"}]}, "InvalidDocumentContent"),
        ({"parameters": {"p": {"type": "Number"}}}, "InvalidDocumentContent"),
        (
            {"parameters": {"p": {"type": "String", "allowedPattern": "("}}},
            "InvalidDocumentContent",
        ),
    ],
)
def test_a_malformed_document_is_refused(change, code):
    step = {"action": "aws:runShellScript", "name": "s", "inputs": {"runCommand": ["true"]}}
    content = {"schemaVersion": "2.2", "mainSteps": [step]} | change
    with pytest.raises(SsmError) as refused:
        parse_document(json.dumps(content), "JSON")
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("script", "directory", "output"),
    [
        ("pwd; echo done", "/usr/lib", "/usr/lib\ndone\n"),
        ("#!/bin/bash -e\n[[ a == a* ]] && echo bash", None, "bash\n"),
    ],
)
def test_the_agent_runs_a_script_in_its_directory_and_by_its_interpreter(script, directory, output):
    inputs = {"runCommand": [script]} | ({"workingDirectory": directory} if directory else {})
    step = {"action": "aws:runShellScript", "name": "s", "inputs": inputs}
    document = parse_document(json.dumps({"schemaVersion": "2.2", "mainSteps": [step]}), "JSON")
    argv = document.plan({})[0].argv()
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout == output


def test_a_new_version_runs_only_once_it_is_the_default():
    store = DocumentStore("123456789012", now=lambda: 0.0)
    body = YAML_DOCUMENT.replace("description: check", "description: second")
    store.create({"Name": "check", "Content": YAML_DOCUMENT, "DocumentFormat": "YAML"})
    store.update({"Name": "check", "Content": body, "DocumentFormat": "YAML"})
    assert store.describe({"Name": "check"})["Document"]["DocumentVersion"] == "1"
    assert store.resolve("check", "$LATEST")[1].document.description == "second"
    store.update_default_version({"Name": "check", "DocumentVersion": "2"})
    assert store.resolve("arn:aws:ssm:us-east-1:123456789012:document/check")[1].number == 2


def test_documents_of_amazon_cannot_be_changed():
    store = DocumentStore("123456789012", now=lambda: 0.0)
    with pytest.raises(SsmError, match="InvalidDocumentOperation"):
        store.delete({"Name": "AWS-RunShellScript"})
    with pytest.raises(SsmError, match="ValidationException"):
        store.create({"Name": "AWS-Mine", "Content": YAML_DOCUMENT, "DocumentFormat": "YAML"})
