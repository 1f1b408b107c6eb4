"""What is handed to the SAM CLI, and what it says when it fails."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli.deploy import ROOT, Step, profile_parameters, shown
from cli.errors import CommandError
from cli.waiting import wait_until


def test_a_profiles_parameters_are_read_as_sam_reads_them(tmp_path: Path) -> None:
    (tmp_path / "samconfig.toml").write_text(
        "[local.deploy.parameters]\n"
        'parameter_overrides = ["Packages=\'torch numpy\'", "WheelIndexUrl=\'\'", "Max=5"]\n'
    )
    found = profile_parameters(tmp_path / "samconfig.toml", "local")
    assert found == {"Packages": "torch numpy", "WheelIndexUrl": "", "Max": "5"}


def test_the_repositorys_own_local_profile_can_be_read() -> None:
    assert profile_parameters(ROOT / "samconfig.toml", "local")["PyTorchPackages"]


def test_a_command_is_shown_as_a_person_would_type_it() -> None:
    assert shown(["build", "--build-dir", f"{ROOT}/build/sam"]) == (
        "sam build --build-dir build/sam"
    )


def step(code: str, log: Path) -> Step:
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=output)
    return Step("deploy", "sam deploy", process, log)


def test_a_failed_step_shows_the_end_of_its_output(tmp_path: Path) -> None:
    failing = step("print('Error: no such bucket'); raise SystemExit(3)", tmp_path / "log")
    with failing, pytest.raises(CommandError, match="`sam deploy` ended with 3") as caught:
        wait_until(failing.done, limit_seconds=60, what="the step ends")
    assert caught.value.details == "Error: no such bucket"


def test_leaving_a_step_early_leaves_no_process(tmp_path: Path) -> None:
    with step("import time; time.sleep(600)", tmp_path / "log") as running:
        assert not running.done()
    with pytest.raises(CommandError, match="ended with -15"):
        running.done()
