"""Real job processes for tests: a small stand-in for torch, and the user's code, in a folder."""

import os
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pilotlight.worker.checks import LIGHT_CHECKS
from pilotlight.worker.job_process import Ended, JobProcess, Said
from pilotlight.worker.self_check import hear_checks

LAYER = Path(__file__).parents[2] / "layers/pilotlight/python"
PATIENCE_SECONDS = 60

TORCH = """
__version__ = "9.9"
class _Product:
    def __matmul__(self, other): return self
    def sum(self): return 512.0
def ones(*shape, device): return _Product()
"""

HANDLER = """
import os, signal, sys, tempfile, time
def handle(payload, job):
    action = payload["do"]
    if action == "echo":
        print("working on", job.job_id, job.attempt)
        return payload
    if action == "raise":
        raise ValueError("no good")
    if action == "exit":
        sys.exit(3)
    if action == "temporary file":
        return tempfile.mkstemp()[1]
    if action == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "flood":
        sys.stdout.write("x" * 3_000_000)
        return "flooded"
    if action == "hang":
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while True:
            time.sleep(60)
    if action == "swell":
        held = bytearray(os.urandom(1 << 20) * 200)
        if os.fork() == 0:
            own = bytearray(os.urandom(1 << 20) * 100)
            time.sleep(60)
        time.sleep(60)
    if action == "oom score":
        return open("/proc/self/oom_score_adj").read().strip()
    if action == "wait for stop":
        while not job.stopping:
            time.sleep(0.01)
        return "stopped"
    if action == "not json":
        return object()
"""


def users_folder(folder: Path) -> Path:
    """A folder on the path with torch and the user's jobs in it; tests rewrite files there."""
    for name, text in {
        "torch/__init__": TORCH,
        "jobs/__init__": "",
        "jobs/handler": HANDLER,
    }.items():
        file = folder / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(textwrap.dedent(text))
    return folder


@contextmanager
def starting(user: Path) -> Iterator[Callable[..., JobProcess]]:
    """Starts processes on that folder, and ends them in the end."""
    started = []

    def start_process(checks=LIGHT_CHECKS) -> JobProcess:
        environment = {
            **os.environ,
            "PYTHONPATH": f"{user}:{LAYER}",
            "TMPDIR": str(user / "tmp"),
        }
        started.append(JobProcess(checks, "cpu", environment, None))
        return started[-1]

    try:
        yield start_process
    finally:
        for process in started:
            process.kill()


def ready(process: JobProcess) -> JobProcess:
    results = hear_checks(process, LIGHT_CHECKS, time.monotonic)
    assert all(result.ok for result in results), results
    return process


def answer(process: JobProcess, **payload):
    """The events up to the answer, or the end, of one job."""
    process.send({"kind": "run", "job_id": "j-1", "attempt": 2, "payload": payload})
    heard = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        heard += process.events(0.2)
        if any(isinstance(event, Said | Ended) for event in heard):
            return heard
    raise AssertionError(f"no answer: {heard}")
