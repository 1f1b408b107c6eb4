"""A worker whose loop is stuck ends itself: in a process of its own, since that is what ends."""

import os
import subprocess
import sys
from pathlib import Path

LAYER = Path(__file__).parents[2] / "layers/pilotlight/python"

STUCK = """
import threading
from pilotlight.worker.watchdog import must_step_again
must_step_again(within_seconds=0.2)
def a_call_that_never_returns():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
a_call_that_never_returns()
"""


def test_a_stuck_worker_ends_and_says_where_it_was_stuck():
    ended = subprocess.run(
        [sys.executable, "-c", STUCK],
        env={**os.environ, "PYTHONPATH": str(LAYER)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1, "systemd restarts what fails"
    assert "a_call_that_never_returns" in ended.stderr
