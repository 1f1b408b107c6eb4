"""The places where jobs run on this instance: a thread and a job process each."""

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from pilotlight.worker.event_log import EventLog
from pilotlight.worker.job_process import Event
from pilotlight.worker.loop_state import Fitness
from pilotlight.worker.self_check import CheckResult, hear_checks

IDLE_POLL_SECONDS = 0.5


class SlotProcess(Protocol):
    @property
    def alive(self) -> bool: ...
    def send(self, message: Mapping[str, Any]) -> None: ...
    def events(self, timeout_seconds: float) -> list[Event]: ...
    def memory_bytes(self) -> int: ...
    def kill(self) -> None: ...


Work = Callable[[SlotProcess], None]


class Slots:
    """`jobs_per_instance` slots. Work given to a slot is done in its thread, by its process.

    A process that died is replaced before the slot is free again, so that a job never meets a
    dead one. Methods are for one thread, that of the agent.
    """

    def __init__(
        self,
        count: int,
        start_process: Callable[[], SlotProcess],
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
        self._slots = [_Slot(self._prepare, wake, self._report_failure) for _ in range(count)]
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
    def free(self) -> int:
        return sum(slot.ready and not slot.busy for slot in self._slots)

    @property
    def running(self) -> int:
        self._raise_failure()
        return sum(slot.busy for slot in self._slots)

    def begin(self, work: Work) -> None:
        """Raises LookupError when no slot is free."""
        for slot in self._slots:
            if slot.ready and not slot.busy:
                slot.give(work)
                return
        raise LookupError("no slot is free")

    def close(self) -> None:
        """End the idle processes; one that is still being checked ends with the worker."""
        for slot in self._slots:
            slot.close()

    def _prepare(self) -> SlotProcess | None:
        """A process that passed its checks; None when it did not."""
        process = self._start_process()
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
        prepare: Callable[[], SlotProcess | None],
        wake: Callable[[], None],
        report_failure: Callable[[BaseException], None],
    ) -> None:
        self._prepare = prepare
        self._wake = wake
        self._report_failure = report_failure
        self._work: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._guarded, daemon=True)
        self.ready = False
        self.busy = False

    def start(self) -> None:
        self._thread.start()

    def give(self, work: Work) -> None:
        self.busy = True
        self._work.put(work)

    def close(self) -> None:
        self._closing.set()
        if self.ready:
            self._thread.join()

    def _guarded(self) -> None:
        try:
            self._serve()
        except Exception as error:
            self._report_failure(error)
            raise

    def _serve(self) -> None:
        while not self._closing.is_set():
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

    def _serve_with(self, process: SlotProcess) -> None:
        """Until the process dies or the slot is closed."""
        while process.alive and not self._closing.is_set():
            try:
                work = self._work.get(timeout=IDLE_POLL_SECONDS)
            except queue.Empty:
                process.events(0)  # what is printed between jobs would fill the pipe
                continue
            work(process)
            self.ready = process.alive  # before it looks free: the next job needs a living one
            self.busy = False
            self._wake()
