"""A worker and one job of it; the process, the queue, the table and the bucket are fakes."""

import io
import json
from collections.abc import Sequence

from botocore.exceptions import EndpointConnectionError

from pilotlight.aws.jobs_queue import LeaseLostError
from pilotlight.aws.jobs_table import Claim
from pilotlight.jobs.attempts import Limits, ReceivedMessage
from pilotlight.jobs.records import Worker
from pilotlight.worker.belongings import Belongings
from pilotlight.worker.dead_lettering import DeadLettering
from pilotlight.worker.endings import Outcome
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.job_process import Said
from pilotlight.worker.job_runner import JobRunner, JobSettings
from pilotlight.worker.parts import LeaveSign

RESULT = Said({"kind": "result", "result": '{"loss": 0.5}'})
ERROR = Said({"kind": "error", "error": "ValueError: no"})
CHECKPOINT = Said({"kind": "checkpoint", "number": 1, "bytes": 10, "seconds": 0.1})
UNREACHABLE = EndpointConnectionError(endpoint_url="http://queue")
MIB = 1 << 20


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Queue:
    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.visibility: list[int] = []
        self.dead_letters: list = []
        self.refuses_dead_letters = False
        self.lease_lost = False

    def set_visibility(self, message, seconds):
        if self.lease_lost:
            raise LeaseLostError(message.message_id)
        self.visibility.append(seconds)

    def delete(self, message):
        self.deleted.append(message.message_id)

    def send(self, letter):
        if self.refuses_dead_letters:
            raise UNREACHABLE
        self.dead_letters.append(letter)


class Table:
    """One item; a result, once there, stays. `history` is that of the states."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.item: dict = {}
        self.history: list[str] = []
        self.out_of_reach = range(0)

    def _write(self, attributes) -> bool:
        if int(self.clock.now) in self.out_of_reach:
            raise UNREACHABLE
        if self.item.get("state") == "succeeded":
            return False
        self.item |= attributes
        self.history.append(attributes.get("state", "noted"))
        return True

    def record(self, run, attributes):
        return False  # of no quick succession

    def begin(self, run, attributes):
        before = {**self.item}
        if before.get("state") == "dead_lettered":
            return Claim(False, before)
        return Claim(self._write(attributes), before)

    def succeed(self, run, attributes):
        return self._write(attributes)

    def amend(self, run, attributes):
        return self._write(attributes)

    def fail(self, run, attributes):
        return self._write(attributes)

    def reject(self, message_id, attributes):
        return self._write(attributes)


class Bucket:
    """What the job `j` has in it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.content: bytes | None = None
        self.out_of_reach = range(0)
        self.deleted: list[str] = []
        self.when_asked = lambda: None

    def payload(self, job_id, most_bytes):
        self._answer()
        return self.content and self.content[:most_bytes]

    def delete_payload(self, job_id):
        self._answer()
        self.deleted.append(f"payload of {job_id}")

    def delete_checkpoints(self, job_id):
        self._answer()
        self.deleted.append(f"checkpoints of {job_id}")

    def _answer(self):
        self.when_asked()
        if int(self.clock.now) in self.out_of_reach:
            raise UNREACHABLE


class Process:
    """Says what it was made to say; each silence lasts `tick_seconds` of the clock."""

    def __init__(self, clock: Clock, script: Sequence[list], tick_seconds: float = 0.5) -> None:
        self.clock = clock
        self.script = [*script]
        self.tick_seconds = tick_seconds
        self.sent: list[dict] = []
        self.killed = False
        self.memory = 100 * MIB
        self.when_begun = lambda: None

    def send(self, message):
        self.sent.append(message)
        if message["kind"] == "run":
            self.when_begun()

    def events(self, timeout_seconds):
        heard = self.script.pop(0) if self.script else []
        if not heard:
            self.clock.now += self.tick_seconds
        return heard

    def memory_bytes(self):
        return self.memory

    def kill(self):
        self.killed = True


class Bench:
    def __init__(self) -> None:
        self.clock = Clock()
        self.queue, self.table, self.sign = Queue(), Table(self.clock), LeaveSign()
        self.bucket = Bucket(self.clock)
        self.log_text = io.StringIO()
        self.log = EventLog(self.log_text, self.clock)
        self.leaves_at_work: float | None = None  # hears while the job runs by when it has to go
        limits = Limits(max_attempts=3, max_receive_count=20)
        self.use(DeadLettering(limits, self.queue, self.queue, self.log))

    def use(self, giving_up, job_timeout_seconds=600, batch=None) -> None:
        self.runner = JobRunner(
            queue=self.queue,
            deletes=self.queue,
            table=self.table,
            batch=batch,
            results=self.table,
            belongings=Belongings(self.bucket, self.log),
            giving_up=giving_up,
            stop=self.sign,
            worker=Worker("i-1", "/group", "i-1/stream"),
            settings=JobSettings(120, job_timeout_seconds, job_memory_mib=512),
            clock=self.clock,
            sleep=self.clock.sleep,
            log=self.log,
        )

    def message(self, body='{"job_id": "j", "payload": 1}', attempt=1) -> ReceivedMessage:
        return ReceivedMessage("m-1", "r-1", body, attempt, 990.0, 999.0)

    def run(self, *script, tick_seconds=0.5, memory=100 * MIB, **message) -> Outcome:
        self.process = Process(self.clock, script, tick_seconds)
        self.process.memory = memory
        self.process.when_begun = self._tell_to_leave
        return self.runner.run(self.message(**message), None, self.process, worker_ready_at=995.0)()

    def _tell_to_leave(self) -> None:
        if self.leaves_at_work is not None:
            self.sign.hand_back_at = self.leaves_at_work

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.log_text.getvalue().splitlines()]
