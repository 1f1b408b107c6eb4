"""Commands are imported when they are asked for."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from cli.main import MODULES, app

SIMULATE = """
import sys
from typer.testing import CliRunner
from cli.main import app

result = CliRunner().invoke(app, ["simulate", "--help"])
print(result.exit_code, [name for name in ("boto3", "jinja2", "matplotlib") if name in sys.modules])
"""


@pytest.mark.parametrize("name", MODULES)
def test_each_command_that_help_lists_is_there(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"])

    assert shown.exit_code == 0, shown.output
    assert f" {name} [OPTIONS]" in shown.output


def test_an_unknown_command_is_refused_with_its_name() -> None:
    refused = CliRunner().invoke(app, ["simulat"])

    assert refused.exit_code == 2
    assert "simulat" in refused.output


def test_a_simulation_starts_without_the_sdk() -> None:
    found = subprocess.run(
        [sys.executable, "-c", SIMULATE], capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "0 []"
