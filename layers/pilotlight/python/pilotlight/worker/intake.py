"""From the queue to the slots: what is received, what waits for a slot, and what goes back."""

import queue
from collections import deque
from collections.abc import Callable
from typing import Protocol

from pilotlight.jobs.attempts import ReceivedMessage
from pilotlight.jobs.prefetch import HOLD_SECONDS, WINDOW, ahead, to_receive
from pilotlight.worker.endings import Outcome
from pilotlight.worker.job_runner import Finish
from pilotlight.worker.line import Delivery, SlotProcess
from pilotlight.worker.slots import Places
from pilotlight.worker.supervision import RunningProcess


class Runner(Protocol):
    def run(
        self, message: ReceivedMessage, process: RunningProcess, worker_ready_at: float
    ) -> Finish: ...
    def hand_back_unstarted(self, message: ReceivedMessage) -> None: ...


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


class ErrandThreads(Background, Protocol):
    def do(self, errand: Callable[[], None]) -> None: ...


class Intake:
    """All but `_work` and `_finish` are for the agent's thread."""

    def __init__(
        self,
        slots: JobSlots,
        runner: Runner,
        errands: ErrandThreads,
        deletes: Background,
        clock: Callable[[], float],
    ) -> None:
        self._slots = slots
        self._runner = runner
        self._errands = errands
        self._deletes = deletes
        self._clock = clock
        self._recent_seconds: deque[float] = deque(maxlen=WINDOW)
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()

    @property
    def at_work(self) -> int:
        """Messages that are this worker's: running, waiting, or not done with."""
        in_slots = self._slots.running + self._slots.places().waiting
        return in_slots + self._errands.unfinished + self._deletes.unfinished

    def wanted(self) -> int:
        """How many messages to receive now."""
        places = self._slots.places()
        allowed = ahead(places.ready, self._recent_seconds)
        return to_receive(places.free, places.waiting, allowed)

    def begin(self, message: ReceivedMessage) -> None:
        self._slots.begin(Delivery(message, self._work))

    def hand_back(self, message: ReceivedMessage) -> None:
        """Of a message that was not begun."""
        self._outcomes.put(Outcome.HANDED_BACK)
        self._errands.do(lambda: self._runner.hand_back_unstarted(message))

    def hand_back_waiting(self, leaving: bool) -> None:
        """All that wait when the instance is leaving, otherwise those that wait for too long.

        Then nothing is fetched ahead until jobs are short again: each hand-back costs the message
        one of the deliveries after which it is given up.
        """
        now = self._clock()
        for delivery in self._slots.withdraw(now if leaving else now - HOLD_SECONDS):
            self._recent_seconds.clear()
            self.hand_back(delivery.message)

    def outcomes(self) -> list[Outcome]:
        """Of the messages that this worker is done with, since the last call."""
        ended = []
        while not self._outcomes.empty():
            ended.append(self._outcomes.get())
        return ended

    def _work(self, message: ReceivedMessage, process: SlotProcess) -> None:
        """In a slot's thread."""
        began_at = self._clock()
        finish = self._runner.run(message, process, self._slots.ready_at)
        self._recent_seconds.append(self._clock() - began_at)
        self._errands.do(lambda: self._finish(finish))

    def _finish(self, finish: Finish) -> None:
        """In a thread of the errands."""
        self._outcomes.put(finish())
