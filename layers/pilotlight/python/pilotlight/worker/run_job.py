"""The process in which the user's code runs: torch is imported once and serves many jobs.

It talks to the worker over one socket, a JSON object a line. At first it says how each check went
and then `ready`; afterwards each `run` is answered by `result` or `error`, and before that by a
`checkpoint` for each that the job saved. Standard output and error belong to the user's code. When
the worker is gone, so is this process.

PILOTLIGHT_BUCKET and AWS_REGION in its environment say where checkpoints are kept.
"""

import argparse
import importlib
import json
import os
import queue
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from pilotlight.jobs.checkpoints import AttemptCheckpoints, CheckpointStore, Saved
from pilotlight.jobs.job import Job
from pilotlight.jobs.records import result_text
from pilotlight.worker import checks

# The kernel frees memory by ending this process and not the worker (0 is the default, 1000 the
# most; raising it needs no privilege).
OUT_OF_MEMORY_SCORE = "1000"

Say = Callable[[dict[str, Any]], None]


def main(argv: Sequence[str] | None = None) -> None:
    options = _options(argv)
    with suppress(OSError):  # absent outside Linux
        Path("/proc/self/oom_score_adj").write_text(OUT_OF_MEMORY_SCORE, encoding="ascii")
    channel = socket.socket(fileno=options.channel)
    channel.set_inheritable(False)
    say = _speaker(channel)
    inbox = _Inbox(channel, say)

    passed = [_check(name, options.device, say) for name in options.checks]
    if not all(passed):
        say({"kind": "unfit"})
        return
    say({"kind": "ready"})
    handle = importlib.import_module("jobs.handler").handle
    while True:
        run = inbox.next_run()
        say(run.answer(handle))


def _speaker(channel: socket.socket) -> Say:
    lock = threading.Lock()  # a job may save from a thread of its own

    def say(message: dict[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        with lock:
            channel.sendall(line)

    return say


class _Run:
    """One job as the worker asked for it."""

    def __init__(self, request: dict[str, Any], say: Say) -> None:
        job_id, attempt = request["job_id"], request["attempt"]
        self._checkpoints = AttemptCheckpoints(
            attempt, lambda: _bucket()(job_id), time.monotonic, partial(_report, say)
        )
        self.job = Job(job_id, attempt, self._checkpoints)
        self._payload = request["payload"]

    def answer(self, handle: Callable[[Any, Job], Any]) -> dict[str, Any]:
        """The user's code may raise whatever it likes, or call sys.exit: all of it is an answer."""
        try:
            return {"kind": "result", "result": result_text(handle(self._payload, self.job))}
        except (Exception, SystemExit) as error:
            traceback.print_exc()
            return {"kind": "error", "error": _described(error)}
        finally:
            self._checkpoints.close()
            sys.stdout.flush()
            sys.stderr.flush()


@cache
def _bucket() -> Callable[[str], CheckpointStore]:
    """The checkpoints of a job by its id. Imports boto3, hence only when a job asks for them."""
    from pilotlight.aws.bucket import TRANSFER_LIMITS, S3Checkpoints
    from pilotlight.aws.instance_clients import instance_session

    client = instance_session(os.environ["AWS_REGION"]).client("s3", config=TRANSFER_LIMITS)
    return partial(S3Checkpoints, client, os.environ["PILOTLIGHT_BUCKET"])


def _report(say: Say, saved: Saved) -> None:
    seconds = round(saved.seconds, 3)
    say(
        {
            "kind": "checkpoint",
            "number": saved.number,
            "bytes": saved.size_bytes,
            "seconds": seconds,
        }
    )


class _Inbox:
    """Listens while a job runs: only so can the job hear that it should stop."""

    def __init__(self, channel: socket.socket, say: Say) -> None:
        self._runs: queue.SimpleQueue[_Run] = queue.SimpleQueue()
        self._say = say
        threading.Thread(target=self._listen, args=(channel,), daemon=True).start()

    def next_run(self) -> _Run:
        """The next job; waits for it."""
        return self._runs.get()

    def _listen(self, channel: socket.socket) -> None:
        run: _Run | None = None
        with channel.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                request = json.loads(line)
                if request["kind"] == "run":
                    run = _Run(request, self._say)
                    self._runs.put(run)
                elif run is not None:
                    run.job.request_stop()
        os.killpg(0, signal.SIGKILL)  # the worker is gone; so are we, and what the job started


def _check(name: str, device: str, say: Say) -> bool:
    say({"kind": "checking", "name": name})
    began = time.monotonic()
    try:
        ok, detail = True, checks.BY_NAME[name](device)
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        ok, detail = False, _described(error)
    seconds = round(time.monotonic() - began, 3)
    say({"kind": "checked", "name": name, "ok": ok, "detail": detail, "seconds": seconds})
    return ok


def _described(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:2_000]


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channel", type=int, required=True, help="file descriptor of the socket")
    parser.add_argument("--device", required=True)
    parser.add_argument("checks", nargs="*", choices=sorted(checks.BY_NAME))
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
