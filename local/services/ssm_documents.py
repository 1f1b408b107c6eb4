"""Command documents: from the text a person wrote to the scripts which the agent runs.

Schema 2.2 as in the Systems Manager user guide, "Schemas, features, and examples" and "Command
document plugin reference".
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from local.services.ssm_errors import SsmError
from local.services.ssm_parameters import (
    ParameterSpec,
    bind_parameters,
    parse_parameters,
    substitute,
)

MAX_DOCUMENT_BYTES = 64 * 1024
DEFAULT_EXECUTION_TIMEOUT_SECONDS = 3600
_SHELL_ACTION = "aws:runShellScript"
_OTHER_PLATFORM_ACTIONS = frozenset({"aws:runPowerShellScript"})
_ON_FAILURE = frozenset({"exit", "successAndExit"})


@dataclass(frozen=True, slots=True)
class Step:
    """One script, ready to run: parameters are in place. `environment` holds ENV_VAR parameters."""

    name: str
    script: str
    environment: Mapping[str, str]
    timeout_seconds: float
    working_directory: str | None = None
    on_failure: str | None = None
    exits_on_success: bool = False
    runs_always: bool = False

    def argv(self) -> list[str]:
        """The program to start: the script's own interpreter when its first line names one."""
        first_line, _, _ = self.script.partition("\n")
        interpreter = shlex.split(first_line[2:]) if first_line.startswith("#!") else ["/bin/sh"]
        if self.working_directory is None:
            return [*interpreter, "-c", self.script]
        enter = 'cd "$1" && shift && exec "$@"'
        return [
            "/bin/sh",
            "-c",
            enter,
            "sh",
            self.working_directory,
            *interpreter,
            "-c",
            self.script,
        ]


@dataclass(frozen=True, slots=True)
class Document:
    """The content of one document version."""

    schema_version: str
    description: str
    parameters: Mapping[str, ParameterSpec]
    main_steps: Sequence[Mapping[str, Any]]

    @property
    def platform_types(self) -> list[str]:
        """Platforms that any step runs on."""
        windows = any(s["action"] in _OTHER_PLATFORM_ACTIONS for s in self.main_steps)
        linux = any(s["action"] == _SHELL_ACTION for s in self.main_steps)
        return (["Windows"] if windows else []) + (["Linux", "MacOS"] if linux else [])

    def plan(self, given: Mapping[str, Sequence[str]]) -> list[Step]:
        """The steps of this document on Linux for the parameters of one SendCommand.

        Raises SsmError InvalidParameters, or UnsupportedPlatformType when no step runs on Linux.
        """
        values, environment = bind_parameters(self.parameters, given)
        steps = [
            _bind_step(step, values, environment)
            for step in self.main_steps
            if _runs_on_linux(step)
        ]
        if not steps:
            raise SsmError("UnsupportedPlatformType", "The document has no step for Linux")
        return steps


def parse_document(content: str, document_format: str) -> Document:
    """Read the text of a Command document.

    Raises SsmError InvalidDocumentContent, InvalidDocumentSchemaVersion, MaxDocumentSizeExceeded.
    """
    if len(content.encode()) > MAX_DOCUMENT_BYTES:
        raise SsmError("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")
    body = _load(content, document_format)
    version = str(body.get("schemaVersion", ""))
    if version not in ("2.0", "2.2"):
        raise SsmError(
            "InvalidDocumentSchemaVersion",
            f"schemaVersion {version!r} is not supported for a Command document; use 2.2.",
        )
    return Document(
        schema_version=version,
        description=str(body.get("description", "")),
        parameters=parse_parameters(body.get("parameters") or {}),
        main_steps=_checked_steps(body.get("mainSteps")),
    )


def _load(content: str, document_format: str) -> Mapping[str, Any]:
    try:
        body = json.loads(content) if document_format == "JSON" else yaml.safe_load(content)
    except (ValueError, yaml.YAMLError) as error:
        raise SsmError("InvalidDocumentContent", f"Not valid {document_format}: {error}") from error
    if not isinstance(body, dict):
        raise SsmError("InvalidDocumentContent", "The content must be a mapping.")
    return body


def _checked_steps(steps: object) -> list[Mapping[str, Any]]:
    if not isinstance(steps, list) or not steps:
        raise SsmError("InvalidDocumentContent", "mainSteps must be a list of at least one step.")
    names: set[str] = set()
    for step in steps:
        _check_step(step, names)
    return steps


def _check_step(step: object, names: set[str]) -> None:
    if not isinstance(step, dict) or not step.get("name"):
        raise SsmError("InvalidDocumentContent", "Each of mainSteps needs a name.")
    name, action = step["name"], step.get("action")
    if name in names:
        raise SsmError("InvalidDocumentContent", f"Step name {name} is not unique.")
    names.add(name)
    if action != _SHELL_ACTION and action not in _OTHER_PLATFORM_ACTIONS:
        raise SsmError("InvalidDocumentContent", f"Step {name}: action {action} is not supported.")
    inputs = step.get("inputs")
    if not isinstance(inputs, dict) or not inputs.get("runCommand"):
        raise SsmError("InvalidDocumentContent", f"Step {name}: inputs.runCommand is required.")
    if inputs.get("onFailure", "exit") not in _ON_FAILURE:
        raise SsmError(
            "InvalidDocumentContent",
            f"Step {name}: onFailure {inputs['onFailure']} is not one of exit, successAndExit.",
        )


def _runs_on_linux(step: Mapping[str, Any]) -> bool:
    if step["action"] != _SHELL_ACTION:
        return False
    wanted = (step.get("precondition") or {}).get("StringEquals")
    return wanted is None or "platformType" not in wanted or "Linux" in wanted


def _bind_step(
    step: Mapping[str, Any], values: Mapping[str, Any], environment: Mapping[str, str]
) -> Step:
    inputs = {key: substitute(value, values) for key, value in step["inputs"].items()}
    lines = inputs["runCommand"]
    return Step(
        name=step["name"],
        script="\n".join(lines) if isinstance(lines, list) else str(lines),
        environment=environment,
        timeout_seconds=_seconds(step["name"], inputs.get("timeoutSeconds")),
        working_directory=inputs.get("workingDirectory") or None,
        on_failure=inputs.get("onFailure"),
        exits_on_success=inputs.get("onSuccess") == "exit" or bool(step.get("isEnd")),
        runs_always=_is_true(inputs.get("finallyStep")),
    )


def _is_true(value: object) -> bool:
    return value is True or value == "true"


def _seconds(step_name: str, value: object) -> float:
    if value in (None, ""):
        return DEFAULT_EXECUTION_TIMEOUT_SECONDS
    try:
        return float(str(value))
    except ValueError:
        raise SsmError(
            "InvalidParameters", f"Step {step_name}: timeoutSeconds {value!r} is not a number."
        ) from None
