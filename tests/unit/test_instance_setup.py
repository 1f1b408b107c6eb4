"""The setup script itself, with stand-ins for the venv's python and for systemctl."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

INSTANCE = Path(__file__).parents[2] / "layers/pilotlight/instance"

# Does what the test asks of it (PIP_SAYS, BROKEN), and notes that it was called.
PYTHON = """#!/bin/bash
case "$*" in
    "-c import platform"*) echo "3.12.4 x86_64"; exit 0 ;;
esac
echo "python $*" >>"$CALLS"
case "$*" in
    "-m pip"*) echo "$PIP_SAYS"; [ -z "$PIP_SAYS" ] || exit 1 ;;
    "-m pilotlight.worker.marker") touch "$PILOTLIGHT_HOME/setup.json" ;;
esac
[ -z "$BROKEN" ] || [[ "$*" != *"$BROKEN"* ]]
"""
SYSTEMCTL = """#!/bin/bash
echo "systemctl $*" >>"$CALLS"
"""


class Machine:
    def __init__(self, folder: Path) -> None:
        self.home = folder / "opt/pilotlight"
        self.calls_file = folder / "calls"
        self.bin = folder / "bin"
        self._program(self.home / "venv/bin/python", PYTHON)
        self._program(self.bin / "systemctl", SYSTEMCTL)
        code = self.home / "code/pilotlight"
        code.mkdir(parents=True)
        (code / "instance").symlink_to(INSTANCE)

    def _program(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def set_up(self, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "CALLS": str(self.calls_file),
            "PILOTLIGHT_HOME": str(self.home),
            "PILOTLIGHT_RUN": "/run/elsewhere",
            "PYTORCH_PACKAGES": "torch torchvision",
            "WHEEL_INDEX_URL": "https://wheels/cpu",
            "WORKER_SETTINGS_PARAMETER": "/pilotlight/s/worker",
            "DEVICE": "cpu",
            "AWS_REGION": "eu-west-1",
            "PIP_SAYS": "",
            "BROKEN": "",
        }
        return subprocess.run(
            ["bash", str(INSTANCE / "setup")],
            env=environment | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines()

    @property
    def error(self) -> str:
        return (self.home / "setup-error.txt").read_text()

    @property
    def finished(self) -> bool:
        return (self.home / "setup.json").exists()


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_everything_is_done_in_order_and_the_marker_comes_last(machine):
    done = machine.set_up()
    assert done.returncode == 0, done.stderr
    pip, torch, code, service, marker = machine.calls
    assert pip.endswith("--index-url https://wheels/cpu torch torchvision")
    assert torch.startswith("python -c import torch")
    assert code == "python -m pilotlight.worker.code"
    assert service == f"systemctl enable --now {machine.home}/pilotlight-worker.service"
    assert marker == "python -m pilotlight.worker.marker"


def test_without_an_index_pip_uses_its_own_configuration(machine):
    machine.set_up(WHEEL_INDEX_URL="")
    assert "--index-url" not in machine.calls[0]


def test_the_unit_has_real_paths(machine):
    machine.set_up()
    unit = (machine.home / "pilotlight-worker.service").read_text()
    assert f"ExecStart={machine.home}/venv/bin/python -m pilotlight.worker\n" in unit
    assert "Environment=PILOTLIGHT_RUN=/run/elsewhere\n" in unit
    assert "Environment=WORKER_SETTINGS_PARAMETER=/pilotlight/s/worker\n" in unit
    assert "Environment=AWS_REGION=eu-west-1\n" in unit
    settings = [line for line in unit.splitlines() if not line.startswith("#")]
    assert not any("@" in line for line in settings)


def test_setting_up_twice_is_as_good_as_once(machine):
    assert machine.set_up().returncode == 0
    assert machine.set_up().returncode == 0
    assert machine.finished


def test_where_no_wheel_fits_the_message_says_which_for_what_and_from_where(machine):
    done = machine.set_up(
        PIP_SAYS="ERROR: No matching distribution found for torchvision", WHEEL_INDEX_URL=""
    )
    assert done.returncode != 0
    assert "no wheel of 'torchvision' fits Python 3.12.4 x86_64 at pip's configured index" in (
        machine.error
    )
    assert machine.error.strip() in done.stderr
    assert not machine.finished


def test_a_full_disk_is_named(machine):
    machine.set_up(PIP_SAYS="ERROR: [Errno 28] No space left on device")
    assert "the disk is full: enlarge the root volume" in machine.error


def test_a_step_that_fails_is_named_and_starts_no_service(machine):
    machine.set_up(BROKEN="pilotlight.worker.code", PYTORCH_PACKAGES="pt")
    assert "setup failed at the jobs' code:" in machine.error
    assert not any(call.startswith("systemctl") for call in machine.calls)
    assert not machine.finished


def test_torch_that_cannot_be_imported_is_left_to_the_readiness_check(machine):
    assert machine.set_up(BROKEN="import torch").returncode == 0
    assert machine.finished


def test_a_service_that_cannot_be_started_is_a_failed_setup(machine):
    (machine.bin / "systemctl").write_text("#!/bin/bash\nexit 5\n")
    machine.set_up()
    assert "setup failed at the service:" in machine.error
    assert not machine.finished


def test_a_variable_that_user_data_forgot_is_named(machine):
    environment = {"PATH": os.environ["PATH"], "PILOTLIGHT_HOME": str(machine.home)}
    done = subprocess.run(
        ["bash", str(INSTANCE / "setup")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "PYTORCH_PACKAGES" in done.stderr
