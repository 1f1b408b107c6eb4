"""From the queue to the slots: what is received, what waits for a slot, and what goes back."""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from pilotlight.jobs.attempts import ReceivedMessage
from pilotlight.jobs.prefetch import HOLD_SECONDS, Pace, to_receive
from pilotlight.jobs.records import Run
from pilotlight.worker.endings import Outcome
from pilotlight.worker.job_runner import Finish
from pilotlight.worker.line import Delivery, SlotProcess
from pilotlight.worker.slots import Places
from pilotlight.worker.supervision import RunningProcess


class Runner(Protocol):
    def claim_all(
        self, messages: Sequence[ReceivedMessage], worker_ready_at: float
    ) -> Sequence[Run | None]: ...
    def run(
        self,
        message: ReceivedMessage,
        claimed: Run | None,
        process: RunningProcess,
        worker_ready_at: float,
    ) -> Finish: ...
    def hand_back_unstarted(self, message: ReceivedMessage, claimed: Run | None) -> None: ...


class JobSlots(Protocol):
    ready_at: float

    @property
    def running(self) -> int: ...
    def places(self) -> Places: ...
    def begin(self, delivery: Delivery) -> None: ...
    def withdraw(self, waiting_since: float) -> list[Delivery]: ...


class Background(Protocol):
    @property
    def unfinished(self) -> int: ...
    def do(self, errand: Callable[[], None]) -> None: ...


class Intake:
    """Its public methods are for the agent's thread."""

    def __init__(
        self,
        slots: JobSlots,
        runner: Runner,
        errands: Background,
        pace: Pace,
        clock: Callable[[], float],
    ) -> None:
        self._slots = slots
        self._runner = runner
        self._errands = errands
        self._pace = pace
        self._clock = clock
        self._lock = threading.Lock()
        self._being_claimed = 0
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()

    @property
    def at_work(self) -> int:
        """Messages that are this worker's: running, waiting, or not done with."""
        return self._slots.running + self._slots.places().waiting + self._errands.unfinished

    def wanted(self) -> int:
        """How many messages to receive now."""
        places = self._slots.places()
        waiting = places.waiting + self._being_claimed
        return to_receive(places.free, waiting, self._pace.ahead(places.ready))

    def begin(self, messages: Sequence[ReceivedMessage]) -> None:
        """Several of many short jobs are recorded together before they wait for a slot."""
        if len(messages) > 1 and self._pace.is_quick:
            with self._lock:
                self._being_claimed += len(messages)
            self._errands.do(lambda: self._claim(messages))
        else:
            self._put_into_line(messages, [None] * len(messages))

    def hand_back(self, message: ReceivedMessage, claimed: Run | None = None) -> None:
        """Of a message that no slot has taken."""
        self._outcomes.put(Outcome.HANDED_BACK)
        self._errands.do(lambda: self._runner.hand_back_unstarted(message, claimed))

    def hand_back_waiting(self, leaving: bool) -> None:
        """All that wait when the instance is leaving, otherwise those that wait for too long.

        Then nothing is fetched ahead until jobs are short again: each hand-back costs the message
        one of the deliveries after which it is given up.
        """
        now = self._clock()
        for delivery in self._slots.withdraw(now if leaving else now - HOLD_SECONDS):
            self._pace.forget()
            self.hand_back(delivery.message, delivery.claimed)

    def outcomes(self) -> list[Outcome]:
        """Of the messages that this worker is done with, since the last call."""
        ended = []
        while not self._outcomes.empty():
            ended.append(self._outcomes.get())
        return ended

    def _claim(self, messages: Sequence[ReceivedMessage]) -> None:
        """In a thread of the errands."""
        self._put_into_line(messages, self._runner.claim_all(messages, self._slots.ready_at))
        with self._lock:
            self._being_claimed -= len(messages)

    def _put_into_line(
        self, messages: Sequence[ReceivedMessage], claims: Sequence[Run | None]
    ) -> None:
        for message, claimed in zip(messages, claims, strict=True):
            self._slots.begin(Delivery(message, claimed, self._work))

    def _work(self, delivery: Delivery, process: SlotProcess) -> None:
        """In a slot's thread."""
        began_at = self._clock()
        ready_at = self._slots.ready_at
        finish = self._runner.run(delivery.message, delivery.claimed, process, ready_at)
        self._pace.note(self._clock() - began_at)
        self._errands.do(lambda: self._finish(finish))

    def _finish(self, finish: Finish) -> None:
        """In a thread of the errands."""
        self._outcomes.put(finish())
