"""EventBridge: from who says something to the queue of the rule that matches it. Best effort."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any

from faults.plan import Fault
from faults.queues import Queue
from local.group.activities import timestamp
from local.group.clock import Schedule

USUAL_SECONDS = (0.2, 1.5)
LATE_SECONDS = (60.0, 300.0)
OVERTAKEN_SECONDS = 2.0  # after the one that overtook it, and surely after its delivery


@dataclass(frozen=True)
class Rule:
    matches: Callable[[str, str, Mapping[str, Any]], bool]
    queue: Queue


@dataclass(eq=False)
class Held:
    """An event that waits for the next one of its source, to come after it."""

    source: str
    queue: Queue
    event: str


class Bus:
    """`fault_for(source)` is what happens to the next event, None when nothing does."""

    def __init__(
        self,
        schedule: Schedule,
        random: Random,
        rules: Sequence[Rule],
        fault_for: Callable[[str, str], Fault | None],
    ) -> None:
        self._schedule = schedule
        self._random = random
        self._rules = rules
        self._fault_for = fault_for
        self._numbers = count(1)
        self._held: list[Held] = []

    def publish(
        self, source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str]
    ) -> None:
        matching = [it for it in self._rules if it.matches(source, detail_type, detail)]
        if matching:
            overtaken = [held for held in self._held if held.source == source]
            event = json.dumps(self._event(source, detail_type, detail, resources))
            for rule in matching:
                fault = self._fault_for(source, f"{detail_type} of {_subject(detail)}")
                if fault is not None and fault.kind == "event_overtaken":
                    self._hold(Held(source, rule.queue, event))
                    continue
                for delay in self._delays(fault):
                    self._later(delay, self._deliver, rule.queue, event)
            for held in overtaken:
                self._later(USUAL_SECONDS[1] + OVERTAKEN_SECONDS, self._let_go, held)

    def _deliver(self, queue: Queue, event: str) -> None:
        queue.send(event)

    def _hold(self, held: Held) -> None:
        self._held.append(held)
        self._later(LATE_SECONDS[0], self._let_go, held)

    def _let_go(self, held: Held) -> None:
        if held in self._held:
            self._held.remove(held)
            held.queue.send(held.event)

    def _later(self, delay: float, act: Callable[..., None], *arguments: Any) -> None:
        self._schedule.call_at(self._schedule.now() + delay, act, *arguments)

    def _delays(self, fault: Fault | None) -> list[float]:
        """One for each time that the event arrives."""
        usual = self._random.uniform(*USUAL_SECONDS)
        if fault is None:
            return [usual]
        late = LATE_SECONDS[0] + fault.index % (LATE_SECONDS[1] - LATE_SECONDS[0])
        return {
            "event_lost": [],
            "event_doubled": [usual, self._random.choice((usual + 2.0, late))],
            "event_late": [late],
        }[fault.kind]

    def _event(
        self, source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str]
    ) -> Mapping[str, Any]:
        return {
            "version": "0",
            "id": f"00000000-0000-4000-8000-{next(self._numbers):012d}",
            "detail-type": detail_type,
            "source": source,
            "account": "123456789012",
            "time": timestamp(self._schedule.now()),
            "region": "us-east-1",
            "resources": list(resources),
            "detail": detail,
        }


def _subject(detail: Mapping[str, Any]) -> str:
    return str(detail.get("EC2InstanceId") or detail.get("instance-id") or "the group")
