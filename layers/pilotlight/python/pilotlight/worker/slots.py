"""The places where jobs run on this instance: a thread and a job process each."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from pilotlight.jobs.prefetch import PLENTY
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.line import Delivery, Line, SlotProcess
from pilotlight.worker.loop_state import Fitness
from pilotlight.worker.self_check import CheckResult, hear_checks

IDLE_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Places:
    """How many slots have a living process, how many of them are free, and how much waits."""

    ready: int
    free: int
    waiting: int


class Slots:
    """`jobs_per_instance` slots, and one line before them.

    A process that died is replaced before its slot takes work again, so that a job never meets a
    dead one. `start_process` is given the slot's number, from 0. Methods are for one
    thread, that of the agent.
    """

    def __init__(
        self,
        count: int,
        start_process: Callable[[int], SlotProcess],
        check_names: Sequence[str],
        clock: Callable[[], float],
        wake: Callable[[], None],
        log: EventLog,
    ) -> None:
        self._start_process = start_process
        self._check_names = check_names
        self._clock = clock
        self._log = log
        self._lock = threading.Lock()
        self._line = Line(clock)
        self._slots = [
            _Slot(self._line, partial(self._prepare, number), wake, self._report_failure)
            for number in range(count)
        ]
        self._opened = False
        self._unfit = False
        self._failure: BaseException | None = None
        self.ready_at = 0.0  # when the first slot had passed its checks

    def open(self) -> None:
        """Start the processes: each imports torch and checks itself. Harmless when open."""
        if not self._opened:
            self._opened = True
            for slot in self._slots:
                slot.start()

    @property
    def fitness(self) -> Fitness:
        self._raise_failure()
        if not self._opened:
            return Fitness.UNKNOWN
        if self._unfit:
            return Fitness.UNFIT
        ready = any(slot.ready for slot in self._slots)
        return Fitness.FIT if ready else Fitness.CHECKING

    @property
    def running(self) -> int:
        self._raise_failure()
        return sum(slot.busy for slot in self._slots)

    def places(self) -> Places:
        self._raise_failure()
        with self._line.moving:
            ready = [slot for slot in self._slots if slot.ready]
            free = sum(not slot.busy for slot in ready)
            return Places(len(ready), free, len(self._line.waiting))

    def begin(self, delivery: Delivery) -> None:
        """As soon as a slot is free."""
        self._line.put(delivery)

    def withdraw(self, waiting_since: float) -> list[Delivery]:
        """What began to wait by that moment and no slot has taken: now none will."""
        return self._line.withdraw(waiting_since)

    def close(self) -> None:
        """End the idle processes; one that is still being checked ends with the worker."""
        self._line.close()
        for slot in self._slots:
            slot.join()

    def _prepare(self, number: int) -> SlotProcess | None:
        """A process that passed its checks; None when it did not."""
        process = self._start_process(number)
        results = hear_checks(process, self._check_names, self._clock)
        fit = all(result.ok for result in results)
        self._note(results, fit)
        if fit:
            return process
        process.kill()
        return None

    def _note(self, results: Sequence[CheckResult], fit: bool) -> None:
        with self._lock:
            self._unfit = self._unfit or not fit
            if fit and not self.ready_at:
                self.ready_at = self._clock()
        event = "self_check_passed" if fit else "self_check_failed"
        self._log(event, checks=[vars(result) for result in results])

    def _report_failure(self, error: BaseException) -> None:
        self._failure = error

    def _raise_failure(self) -> None:
        """An error in a slot's thread is a defect: it ends the worker, and systemd starts anew."""
        if self._failure is not None:
            raise RuntimeError("a slot failed") from self._failure


class _Slot:
    def __init__(
        self,
        line: Line,
        prepare: Callable[[], SlotProcess | None],
        wake: Callable[[], None],
        report_failure: Callable[[BaseException], None],
    ) -> None:
        self._line = line
        self._prepare = prepare
        self._wake = wake
        self._report_failure = report_failure
        self._thread = threading.Thread(target=self._guarded, name="slot", daemon=True)
        self.ready = False
        self.busy = False

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        if self.ready:
            self._thread.join()

    def _guarded(self) -> None:
        try:
            self._serve()
        except Exception as error:
            self._report_failure(error)
            raise

    def _serve(self) -> None:
        while not self._line.closed:
            process = self._prepare()
            if process is None:
                return
            self.ready = True
            self._wake()
            try:
                self._serve_with(process)
            finally:
                self.ready = False
                process.kill()

    def _become_busy(self) -> None:
        self.busy = True

    def _serve_with(self, process: SlotProcess) -> None:
        """Until the process dies or the slot is closed."""
        while process.alive and not self._line.closed:
            delivery = self._line.take(IDLE_POLL_SECONDS, self._become_busy)
            if delivery is None:
                process.events(0)  # what is printed between jobs would fill the pipe
                continue
            if not process.alive:  # it died while idle, and that is not this job's failure
                self.busy = False
                self._line.put_back(delivery)
                return
            delivery.work(delivery, process)
            self.ready = process.alive  # before it looks free: the next job needs a living one
            self.busy = False
            if len(self._line.waiting) <= PLENTY:
                self._wake()
