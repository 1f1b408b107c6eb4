"""Runs inside a box, as its worker would: one job in slot 0 while slot 1 has a process, too.

Prints the handler's answer, and afterwards what the job left on the disk.
"""

import json
import os
import sys

from pilotlight.worker.home import Home
from pilotlight.worker.job_process import Ended, JobProcess, Said
from pilotlight.worker.job_user import job_user


def main() -> None:
    home = Home.from_environment(os.environ)
    environment = {**os.environ, "TMPDIR": str(home.scratch)}
    processes = [
        JobProcess(["jobs_importable"], "cpu", environment, job_user(home, slot)) for slot in (0, 1)
    ]
    for process in processes:
        hear(process, "ready")
    processes[0].send({"kind": "run", "job_id": "j", "attempt": 1, "payload": None})
    result = hear(processes[0], "result")["result"]
    for process in processes:
        process.kill()
    left = [path.name for path in home.scratch.iterdir()]
    sys.stdout.write(json.dumps({"result": json.loads(result), "left": left}) + "\n")


def hear(process: JobProcess, kind: str) -> dict:
    heard = []
    while not any(isinstance(event, Ended) for event in heard):
        for event in process.events(1.0):
            heard.append(event)
            if isinstance(event, Said) and event.message["kind"] == kind:
                return event.message
    raise SystemExit(f"no {kind}: {heard}")


if __name__ == "__main__":
    main()
