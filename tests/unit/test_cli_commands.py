"""Commands are imported when they are asked for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import MODULES, app

SIMULATE = """
import sys
from cli.main import app

app(["simulate", "--trace", sys.argv[1], "--json"], standalone_mode=False)
loaded = {"botocore", "jinja2", "matplotlib", "rich"} & set(sys.modules)
print(sorted(loaded), file=sys.stderr)
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


def test_a_simulation_starts_without_the_sdk_and_what_draws_tables(tmp_path: Path) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text("arrival_s,service_s\n0,10\n", encoding="utf-8")

    found = subprocess.run(
        [sys.executable, "-c", SIMULATE, trace], capture_output=True, text=True, check=True
    )

    assert found.stderr.strip() == "[]"
    assert json.loads(found.stdout)[0]["jobs"] == 1
