"""The truth about the jobs of a run, told by those who send, run and record them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from faults.expressions import Item
from faults.plan import JobSpec
from faults.queues import Message, Queue


@dataclass
class Truth:
    """One job id: what was sent for it, and what its handler did."""

    spec: JobSpec
    message_ids: list[str] = field(default_factory=list)
    began: int = 0
    returned: int = 0


@dataclass(frozen=True)
class Beginning:
    """A handler begins; `running_already` when another one is at the same job."""

    job_id: str
    instance_id: str
    running_already: bool


class Ledger:
    def __init__(self, jobs: Queue, dead_letters: Queue, say: Callable[[str], None]) -> None:
        self._jobs = jobs
        self._dead_letters = dead_letters
        self._say = say
        self.truths: dict[str, Truth] = {}
        self.running: Counter[str] = Counter()
        self.beginnings: list[Beginning] = []
        self.overwritten: list[str] = []
        self.results: dict[str, Any] = {}
        self.items: dict[str, Item] = {}
        self.open: dict[str, Truth] = {}  # those without a result
        self._dead: tuple[int, set[str]] = (0, set())

    def send(self, spec: JobSpec) -> None:
        message_id = self._jobs.send(_body(spec))
        job_id = message_id if spec.does == "malformed" else spec.job_id
        truth = self.truths.setdefault(job_id, Truth(spec))
        truth.message_ids.append(message_id)
        if job_id not in self.results:
            self.open[job_id] = truth
        self._say(f"sent {job_id}: {spec.does} after {spec.seconds:.0f} s")

    def began(self, job_id: str, instance_id: str) -> int:
        """Returns the number of this run of the job."""
        self.beginnings.append(Beginning(job_id, instance_id, self.running[job_id] > 0))
        self.running[job_id] += 1
        self.truths[job_id].began += 1
        return self.truths[job_id].began

    def ended(self, job_id: str) -> None:
        self.running[job_id] -= 1

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
    payload = {"seconds": spec.seconds, "does": spec.does}
    if spec.does == "malformed":
        return f"not json: {payload}"
    return json.dumps({"job_id": spec.job_id, "payload": payload})


def _job_id(message: Message) -> str:
    """What the worker says of a dead letter; SQS itself says nothing."""
    return str(message.attributes.get("job_id", {}).get("StringValue", ""))
