"""`python -m pilotlight.worker.drain --seconds N`: have the worker finish or hand back its jobs.

The last line printed is the verdict as JSON; the exit code is 0 when it is drained.
"""

import argparse
import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict

from pilotlight.worker.drain_files import DrainFiles, DrainRequest, DrainVerdict
from pilotlight.worker.home import Home
from pilotlight.worker.liveness import read_liveness

POLL_SECONDS = 0.2
# After the deadline the worker still has to end the jobs' processes and make a few calls each.
HAND_BACK_SECONDS = 20.0


def drain(
    home: Home, seconds: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> DrainVerdict:
    """Ask, and wait for the answer; a worker that is not there has nothing to give back."""
    files = DrainFiles(home)
    request = DrainRequest(uuid.uuid4().hex, clock(), seconds)
    files.request(request)
    while (verdict := files.answered(request)) is None:
        liveness = read_liveness(home)
        seconds = round(clock() - request.requested_at, 3)
        if liveness is None or not liveness.holds(clock()):
            return DrainVerdict(True, 0, 0, seconds, "the worker is not running")
        if clock() >= request.deadline + HAND_BACK_SECONDS:
            detail = f"the worker (pid {liveness.pid}) did not answer: {liveness.reason}"
            return DrainVerdict(False, 0, 0, seconds, detail)
        sleep(POLL_SECONDS)
    return verdict


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, required=True, help="how long jobs may go on")
    seconds = parser.parse_args(argv).seconds
    verdict = drain(Home.from_environment(os.environ), seconds, time.time, time.sleep)
    sys.stdout.write(json.dumps(asdict(verdict)) + "\n")
    return 0 if verdict.drained else 1


if __name__ == "__main__":
    sys.exit(main())
