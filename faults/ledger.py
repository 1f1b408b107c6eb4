"""The truth about the jobs of a run, told by those who send, run and record them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from faults.bucket import Bucket
from faults.expressions import Item
from faults.plan import JobSpec
from faults.queues import Message, Queue


@dataclass
class Truth:
    """One job id: what was sent for it, and what its handler did."""

    spec: JobSpec
    sent_at: float
    message_ids: list[str] = field(default_factory=list)
    began: int = 0
    waited_seconds: float | None = None  # from its message to its first beginning
    returned: int = 0
    saved_seconds: float = 0.0  # of work, in the checkpoint that was saved last
    overlapped: bool = False  # two ran at once: who saved last is no matter of order any more


@dataclass(frozen=True)
class Beginning:
    """A handler begins; `running_already` when another one is at the same job."""

    job_id: str
    instance_id: str
    running_already: bool


@dataclass(frozen=True)
class Resumption:
    """An attempt at a job goes on with so many seconds of its work done; `saved` had been saved."""

    job_id: str
    restored: float
    saved: float


class Ledger:
    def __init__(
        self, jobs: Queue, dead_letters: Queue, bucket: Bucket, say: Callable[[str], None]
    ) -> None:
        self._jobs = jobs
        self._dead_letters = dead_letters
        self._bucket = bucket
        self._say = say
        self.truths: dict[str, Truth] = {}
        self.running: Counter[str] = Counter()
        self.beginnings: list[Beginning] = []
        self.resumptions: list[Resumption] = []
        self.overwritten: list[str] = []
        self.results: dict[str, Any] = {}
        self.items: dict[str, Item] = {}
        self.open: dict[str, Truth] = {}  # those without a result
        self._dead: tuple[int, set[str]] = (0, set())

    def send(self, spec: JobSpec) -> None:
        if spec.payload_in_s3:
            self._bucket.objects[_payload_key(spec)] = _payload(spec)
        message_id = self._jobs.send(_body(spec))
        job_id = message_id if spec.does == "malformed" else spec.job_id
        sent_at = self._jobs.messages[message_id].sent_at
        truth = self.truths.setdefault(job_id, Truth(spec, sent_at))
        truth.message_ids.append(message_id)
        if job_id not in self.results:
            self.open[job_id] = truth
        self._say(f"sent {job_id}: {spec.does} after {spec.seconds:.0f} s")

    def began(self, job_id: str, instance_id: str, now: float) -> int:
        """Returns the number of this run of the job."""
        truth, running_already = self.truths[job_id], self.running[job_id] > 0
        if truth.waited_seconds is None:
            truth.waited_seconds = now - truth.sent_at
        self.beginnings.append(Beginning(job_id, instance_id, running_already))
        self.running[job_id] += 1
        truth.began += 1
        truth.overlapped = truth.overlapped or running_already
        return truth.began

    def ended(self, job_id: str) -> None:
        self.running[job_id] -= 1

    def saved(self, job_id: str, seconds: float) -> None:
        self.truths[job_id].saved_seconds = seconds

    def restored(self, job_id: str, attempt: int, seconds: float) -> None:
        """A first attempt asks for nothing: there was none before it, unless it was sent twice."""
        truth = self.truths[job_id]
        if attempt > 1 and not truth.overlapped:
            self.resumptions.append(Resumption(job_id, seconds, truth.saved_seconds))

    def returned(self, job_id: str) -> None:
        self.truths[job_id].returned += 1

    def recorded(self, job_id: str, before: Item, after: Item) -> None:
        """A change of the jobs table."""
        self.items[job_id] = after
        if "result" in before and before["result"] != after.get("result"):
            self.overwritten.append(job_id)
        if "result" in after:
            self.results[job_id] = after["result"]
            self.open.pop(job_id, None)

    def has_payload(self, truth: Truth) -> bool:
        return not truth.spec.payload_in_s3 or _payload_key(truth.spec) in self._bucket.objects

    def in_queue(self, truth: Truth) -> bool:
        return any(it in self._jobs.messages for it in truth.message_ids)

    def in_dead_letters(self, job_id: str, truth: Truth) -> bool:
        messages = self._dead_letters.messages
        if len(messages) != self._dead[0]:
            self._dead = (len(messages), {_job_id(it) for it in messages.values()})
        return job_id in self._dead[1] or any(it in messages for it in truth.message_ids)

    def unsettled(self) -> Iterator[str]:
        """Jobs without a result that are not among the dead letters."""
        for job_id, truth in self.open.items():
            if not self.in_dead_letters(job_id, truth):
                yield job_id


def _body(spec: JobSpec) -> str:
    if spec.does == "malformed":
        return f"not json: {spec.job_id}"
    content = _payload(spec)
    if not spec.payload_in_s3:
        return json.dumps({"job_id": spec.job_id, "payload": json.loads(content)})
    stored = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return json.dumps({"job_id": spec.job_id, "payload_in_s3": stored})


def _payload(spec: JobSpec) -> bytes:
    document = {
        "seconds": spec.seconds,
        "does": spec.does,
        "saves_every_seconds": spec.saves_every_seconds,
    }
    return json.dumps(document).encode()


def _payload_key(spec: JobSpec) -> str:
    return f"payloads/{spec.job_id}"


def _job_id(message: Message) -> str:
    """What the worker says of a dead letter; SQS itself says nothing."""
    return str(message.attributes.get("job_id", {}).get("StringValue", ""))
