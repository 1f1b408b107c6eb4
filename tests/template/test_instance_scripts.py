"""The scripts that the template carries: user data and the SSM documents, run where they can be."""

import ast
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from template_reader import of_type, substitute

from pilotlight.fleet.verdict import parse_drain_verdict, parse_readiness_verdict


@pytest.fixture
def instance(tmp_path: Path) -> "Instance":
    return Instance(tmp_path)


class Instance:
    """A home, a `cloud-init` that notes its calls, and a Python that says what it was asked."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.programs = root / "bin"
        self.programs.mkdir()
        self.install(self.programs / "cloud-init", f'echo "$@" >> {root}/cloud-init-calls')
        self._calls = root / "cloud-init-calls"

    def set_up(self) -> None:
        (self.home / "code/pilotlight/python").mkdir(parents=True)
        (self.home / "venv/bin").mkdir(parents=True)
        self.install(self.home / "venv/bin/python", 'echo "$PYTHONPATH"; shift; echo "$@"; exit 7')

    def run(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.programs}:{os.environ['PATH']}"
        environment = {"PATH": path, "PILOTLIGHT_HOME": str(self.home), **variables}
        return subprocess.run(
            ["sh", "-c", script], env=environment, capture_output=True, text=True, check=False
        )

    def cloud_init_calls(self) -> list[str]:
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    def install(self, path: Path, script: str) -> None:
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


def content(template: dict[str, Any], document: str) -> dict[str, Any]:
    found: dict[str, Any] = of_type(template, "AWS::SSM::Document")[document]["Content"]
    return found


def script(template: dict[str, Any], document: str, timeout: str) -> str:
    """As an old agent hands it to the shell: the value in the text, no variable."""
    [step] = content(template, document)["mainSteps"]
    return "\n".join(step["inputs"]["runCommand"]).replace("{{ timeoutSeconds }}", timeout)


DOCUMENTS = pytest.mark.parametrize("document", ["ReadinessDocument", "DrainDocument"])
SHELL = pytest.mark.parametrize(
    "value",
    [
        '1"; touch {0}; "',
        "$(touch {0})",
        "`touch {0}`",
        "1; touch {0}",
        "1\ntouch {0}",
        "-1 {0}",
        "",
    ],
)


@DOCUMENTS
def test_a_document_takes_a_number_of_seconds_alone(
    document: str, template: dict[str, Any]
) -> None:
    parameters = content(template, document)["parameters"]
    assert list(parameters) == ["timeoutSeconds"]
    assert re.fullmatch(parameters["timeoutSeconds"]["allowedPattern"], "1800")
    assert parameters["timeoutSeconds"]["interpolationType"] == "ENV_VAR"


@DOCUMENTS
@SHELL
def test_a_document_takes_nothing_that_a_shell_would_run(
    value: str, document: str, template: dict[str, Any]
) -> None:
    pattern = content(template, document)["parameters"]["timeoutSeconds"]["allowedPattern"]
    assert not re.fullmatch(pattern, value)


@DOCUMENTS
@SHELL
def test_even_a_value_that_got_past_the_pattern_is_not_run(
    value: str, document: str, instance: Instance, template: dict[str, Any], tmp_path: Path
) -> None:
    instance.set_up()
    canary = tmp_path / "executed"
    instance.run(script(template, document, "1"), SSM_timeoutSeconds=value.format(canary))
    assert not canary.exists()


def test_an_instance_that_was_never_set_up_is_not_ready(
    instance: Instance, template: dict[str, Any]
) -> None:
    answer = instance.run(script(template, "ReadinessDocument", "5"))
    verdict = parse_readiness_verdict(answer.stdout)
    assert answer.returncode == 1
    assert not verdict.ready
    assert verdict.failed_checks[0].startswith("setup_finished: ")


def test_readiness_waits_for_the_first_boot_then_asks_the_worker(
    instance: Instance, template: dict[str, Any]
) -> None:
    instance.set_up()
    answer = instance.run(script(template, "ReadinessDocument", "5"))
    assert instance.cloud_init_calls() == ["status --wait"]
    home = instance.home
    assert answer.stdout.splitlines() == [
        f"{home}/code/pilotlight/python:{home}/code/jobs/python",
        "pilotlight.worker.readiness",
    ]
    assert answer.returncode == 7  # the worker's own


def test_a_first_boot_that_does_not_end_is_not_waited_for_without_end(
    instance: Instance, template: dict[str, Any]
) -> None:
    instance.install(instance.programs / "cloud-init", "exec sleep 60")
    answer = instance.run(script(template, "ReadinessDocument", "0.1"))
    assert not parse_readiness_verdict(answer.stdout).ready


def test_an_instance_that_was_never_set_up_has_nothing_to_drain(
    instance: Instance, template: dict[str, Any]
) -> None:
    answer = instance.run(script(template, "DrainDocument", "30"))
    assert answer.returncode == 0
    assert parse_drain_verdict(answer.stdout).drained


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [
        pytest.param({}, "30", id="an old agent puts the value into the text"),
        pytest.param({"SSM_timeoutSeconds": "45"}, "45", id="a new one into a variable"),
    ],
)
def test_drain_gives_the_worker_its_seconds(
    variables: dict[str, str], seconds: str, instance: Instance, template: dict[str, Any]
) -> None:
    instance.set_up()
    answer = instance.run(script(template, "DrainDocument", "30"), **variables)
    assert answer.stdout.splitlines()[1] == f"pilotlight.worker.drain --seconds {seconds}"
    assert answer.returncode == 7


def user_data(template: dict[str, Any], values: dict[str, str]) -> str:
    data = of_type(template, "AWS::EC2::LaunchTemplate")["LaunchTemplate"]["LaunchTemplateData"]
    names = {"AWS::Region": "eu-central-1", "AWS::StackName": "pilotlight"}
    return substitute(data["UserData"]["Fn::Base64"]["Fn::Sub"], {**names, **values})


def test_user_data_is_a_script_that_a_shell_and_python_understand(
    template: dict[str, Any], parameter_defaults: dict[str, str]
) -> None:
    text = user_data(template, parameter_defaults)
    assert text.startswith("#!/bin/bash\n")
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    [fetch] = re.findall(r"<<'FETCH'\n(.*?)\nFETCH\n", text, re.DOTALL)
    ast.parse(fetch)


def test_user_data_stays_within_what_ec2_takes(
    template: dict[str, Any], parameter_defaults: dict[str, str]
) -> None:
    longest = {**parameter_defaults, "PyTorchPackages": "t" * 500, "WheelIndexUrl": "h" * 500}
    assert len(user_data(template, longest).encode()) < 16_384


def test_a_deploy_of_code_alone_does_not_replace_the_fleet(template: dict[str, Any]) -> None:
    # Layer versions in user data would make a new launch template version of each deploy.
    data = of_type(template, "AWS::EC2::LaunchTemplate")["LaunchTemplate"]
    assert "Layer" not in json.dumps(
        data["LaunchTemplateData"]["UserData"]["Fn::Base64"]["Fn::Sub"]
    )
