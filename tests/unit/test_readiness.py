"""Readiness as the document runs it: the real command, with a small stand-in for torch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.instances.guest.own_user import keep_to_own_user
from pilotlight.worker.home import Home
from pilotlight.worker.job_user import job_user

HOME = Home(Path("/opt/pilotlight"), Path("/run/pilotlight"))
LAYER = Path(__file__).parents[2] / "layers/pilotlight/python"
SETTINGS = {
    "queue_url": "https://sqs/jobs",
    "dead_letter_queue_url": "https://sqs/dead",
    "jobs_table": "jobs",
    "heartbeats_table": "heartbeats",
    "bucket": "jobs-bucket",
    "group_name": "g-workers",
    "log_group": "/pilotlight/g/workers",
    "region": "us-east-1",
    "layers": {"pilotlight": "arn:1", "jobs": "arn:2"},
    "template_version": "7",
    "heartbeat_seconds": 60,
    "visibility_timeout_seconds": 120,
    "job_timeout_seconds": 600,
    "idle_seconds": 60,
    "watch_seconds": 3,
    "drain_seconds": 120,
    "jobs_per_instance": 1,
    "max_attempts": 3,
    "max_receive_count": 20,
    "job_memory_mib": 0,
    "device": "cpu",
}
MARKER = {
    "setup_hash": "abc",
    "torch_version": "9.9",
    "python_version": "3.12.1",
    "packages": ["torch"],
    "finished_at": 1.0,
}
TORCH = """
__version__ = "9.9"
class _Product:
    def __matmul__(self, other): return self
    def sum(self): return 512.0
def ones(*shape, device): return _Product()
class cuda:
    is_available = staticmethod(lambda: False)
"""


class Instance:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("settings.json", json.dumps(SETTINGS))
        self.write("setup.json", json.dumps(MARKER))
        self.write("path/torch/__init__.py", TORCH)
        self.write("path/jobs/__init__.py", "")
        self.write("path/jobs/handler.py", "def handle(payload, job): ...")

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()

    def prove(self, python: Path | None = None) -> tuple[int, dict]:
        """As who runs the test, or by another Python as a worker would, who may become others."""
        done = subprocess.run(
            [str(python or sys.executable), "-m", "pilotlight.worker.readiness"],
            env={
                **os.environ,
                "PILOTLIGHT_HOME": str(self.folder),
                "PYTHONPATH": f"{self.folder}/path:{LAYER}",
            },
            stdout=subprocess.PIPE,
            preexec_fn=None if python else keep_to_own_user,
            text=True,
            check=False,
        )
        return done.returncode, json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def instance(tmp_path):
    return Instance(tmp_path)


def failed(verdict) -> list[str]:
    return [check["name"] for check in verdict["checks"] if not check["ok"]]


def test_a_good_instance_is_proven(instance):
    code, verdict = instance.prove()
    assert (code, verdict["ready"], failed(verdict)) == (0, True, [])
    proof = verdict["proof"]
    assert proof.pop("proven_at") > 0
    assert proof == {"setup_hash": "abc", "template_version": "7", "torch_version": "9.9"}
    assert [check["name"] for check in verdict["checks"]] == [
        "settings_readable",
        "setup_finished",
        "disk_free",
        "import_torch",
        "tensor_operation",
        "cuda_visible",
        "jobs_importable",
        "own_check",
    ]


@pytest.mark.skipif(job_user(HOME, 0) is None, reason="who is not root has no others for jobs")
def test_an_instance_whose_python_jobs_cannot_reach_is_told_so(instance):
    python = instance.folder / "python"
    python.symlink_to(sys.executable)
    instance.folder.chmod(0o700)
    code, verdict = instance.prove(python)
    assert (code, failed(verdict)) == (1, ["job_process"])
    assert "Permission denied" in json.dumps(verdict)
    assert "jobs run as user 70000" in json.dumps(verdict)


def test_without_torch_the_check_that_fails_is_named(instance):
    instance.write("path/torch/__init__.py", "raise ImportError('libtorch.so is missing')")
    code, verdict = instance.prove()
    assert (code, verdict["ready"]) == (1, False)
    assert failed(verdict) == ["import_torch", "tensor_operation"]
    assert "libtorch.so is missing" in json.dumps(verdict)


def test_a_setup_that_failed_says_why(instance):
    instance.remove("setup.json")
    instance.write("setup-error.txt", "setup failed at PyTorch: no wheel of 'torch==99' fits")
    code, verdict = instance.prove()
    assert code == 1
    assert failed(verdict) == ["setup_finished"]
    assert "no wheel of 'torch==99' fits" in json.dumps(verdict)


def test_a_gpu_that_is_asked_for_and_not_there_fails_the_check(instance):
    instance.write("settings.json", json.dumps(SETTINGS | {"device": "cuda"}))
    code, verdict = instance.prove()
    assert code == 1
    assert failed(verdict) == ["cuda_visible"]


def test_what_user_code_prints_does_not_hide_the_verdict(instance):
    instance.write("path/jobs/check.py", "def check(): print('x' * 50_000)")
    code, verdict = instance.prove()
    assert (code, verdict["ready"]) == (0, True)


def test_settings_that_are_wrong_are_named(instance):
    instance.write("settings.json", json.dumps(SETTINGS | {"idle_seconds": -1}))
    _, verdict = instance.prove()
    assert failed(verdict) == ["settings_readable"]
    assert "idle_seconds is -1" in json.dumps(verdict)


def test_the_verdict_fits_into_what_run_command_keeps(instance):
    instance.write("path/torch/__init__.py", "raise ImportError('x' * 100_000)")
    _, verdict = instance.prove()
    assert len(json.dumps(verdict)) < 8_000
