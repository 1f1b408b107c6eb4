"""Stand-ins for threads, queues and the time of day, put into the worker's modules for one run.

Found by identity: wherever a module of the worker holds `threading`, `queue`, `time` or
`ThreadPoolExecutor`, it holds a stand-in during the run, and nothing of it is changed otherwise.
"""

from __future__ import annotations

import concurrent.futures
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import ModuleType, SimpleNamespace
from typing import Any

from faults.tasks import KilledError, Signal, Task, Tasks

PACKAGES = ("pilotlight.worker", "pilotlight.aws", "pilotlight.jobs")


class Thread:
    """What a thread raises ends itself alone, as with real ones."""

    tasks: Tasks

    def __init__(
        self,
        target: Callable[..., Any],
        args: tuple[Any, ...] = (),
        name: str = "thread",
        daemon: bool = False,  # noqa: ARG002
    ) -> None:
        self._body: Callable[[], Any] = lambda: target(*args)
        self.name = name
        self._ended = Signal(self.tasks)
        self._task: Task | None = None

    def start(self) -> None:
        place: Any = self.tasks.running().place
        self._task = self.tasks.spawn(self._run, self.name, place)
        place.adopt(self._task)

    def join(self, timeout: float | None = None) -> None:
        self._ended.wait(timeout)

    def is_alive(self) -> bool:
        return self._task is not None and not self._task.done

    def _run(self) -> None:
        try:
            self._body()
        except Exception as error:
            place: Any = self.tasks.running().place
            place.thread_failed(error)
        finally:
            self._ended.set()


class Condition:
    """Nothing needs locking; only the waiting is real."""

    tasks: Tasks

    def __init__(self) -> None:
        self._signal = Signal(self.tasks)

    def __enter__(self) -> Condition:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is locked."""

    def wait(self, timeout: float | None = None) -> bool:
        self._signal.clear()
        return self._signal.wait(timeout)

    def notify(self, n: int = 1) -> None:  # noqa: ARG002
        self._signal.set()

    notify_all = notify


class SimpleQueue:
    tasks: Tasks

    def __init__(self, maxsize: int = 0) -> None:  # noqa: ARG002
        self._items: deque[Any] = deque()
        self._filled = Signal(self.tasks)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ARG002
        self._items.append(item)
        self._filled.set()

    put_nowait = put

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        clock = self.tasks.clock
        until = clock.now() + timeout if timeout is not None else float("inf")
        while not self._items:
            left = until - clock.now()
            if not block or left <= 0:
                raise queue.Empty
            self._filled.clear()
            self._filled.wait(left if timeout is not None else None)
        return self._items.popleft()

    def get_nowait(self) -> Any:
        return self.get(block=False)

    def empty(self) -> bool:
        return not self._items

    def qsize(self) -> int:
        return len(self._items)


class Future:
    def __init__(self, tasks: Tasks) -> None:
        self._ended = Signal(tasks)
        self._callbacks: list[Callable[[Any], None]] = []
        self._result: Any = None
        self._error: Exception | None = None

    def done(self) -> bool:
        return self._ended.is_set()

    def result(self, timeout: float | None = None) -> Any:
        if not self._ended.wait(timeout) if not self._ended.is_set() else False:
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._result

    def add_done_callback(self, call: Callable[[Any], None]) -> None:
        if self.done():
            call(self)
        else:
            self._callbacks.append(call)

    def settle(self, work: Callable[[], Any]) -> None:
        try:
            self._result = work()
        except Exception as error:
            self._error = error
        self._ended.set()
        for call in self._callbacks:
            call(self)


class ThreadPoolExecutor:
    """As many tasks as there is work: the worker's pools never have more work than threads."""

    tasks: Tasks

    def __init__(
        self,
        max_workers: int | None = None,  # noqa: ARG002
        thread_name_prefix: str = "pool",
    ) -> None:
        self._name = thread_name_prefix

    def submit(self, work: Callable[..., Any], *args: Any) -> Future:
        future = Future(self.tasks)
        place = self.tasks.running().place
        task = self.tasks.spawn(lambda: future.settle(lambda: work(*args)), self._name, place)
        place.adopt(task)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing is left to wait for."""


def _stand_ins(tasks: Tasks) -> dict[int, Any]:
    """By the id of what they stand for."""
    bound = {"tasks": tasks}
    thread = type("Thread", (Thread,), bound)
    simple_queue = type("SimpleQueue", (SimpleQueue,), bound)
    executor = type("ThreadPoolExecutor", (ThreadPoolExecutor,), bound)

    def signal() -> Signal:
        return Signal(tasks)

    def lock() -> AbstractContextManager[None]:
        return nullcontext()  # tasks hand over at waits only, and nothing waits under a lock

    condition = type("Condition", (Condition,), bound)
    threads = SimpleNamespace(
        Thread=thread,
        Event=signal,
        Condition=condition,
        Lock=lock,
        RLock=lock,
        TIMEOUT_MAX=threading.TIMEOUT_MAX,
    )
    queues = SimpleNamespace(SimpleQueue=simple_queue, Queue=simple_queue, Empty=queue.Empty)
    return {
        id(threading): threads,
        id(threading.Thread): thread,
        id(threading.Event): signal,
        id(threading.Lock): lock,
        id(threading.Condition): condition,
        id(queue): queues,
        id(queue.SimpleQueue): simple_queue,
        id(concurrent.futures.ThreadPoolExecutor): executor,
        id(time): clock_of(tasks),
    }


def clock_of(tasks: Tasks) -> SimpleNamespace:
    """`time`, as the machine on which the running task runs has it: clocks can be wrong."""

    def now() -> float:
        task = tasks.current
        skew: float = task.place.skew_seconds if task is not None and task.place is not None else 0
        return tasks.clock.now() + skew

    return SimpleNamespace(
        time=now, monotonic=tasks.clock.now, perf_counter=tasks.clock.now, sleep=tasks.sleep
    )


def _holders(wanted: dict[int, Any]) -> Iterator[tuple[ModuleType, str, int]]:
    for name, module in list(sys.modules.items()):
        if name.startswith(PACKAGES) and module is not None:
            for attribute, value in vars(module).items():
                if id(value) in wanted:
                    yield module, attribute, id(value)


@contextmanager
def virtual_threads(tasks: Tasks) -> Iterator[None]:
    stand_ins = _stand_ins(tasks)
    found = [
        (module, name, getattr(module, name), key) for module, name, key in _holders(stand_ins)
    ]
    for module, name, _, key in found:
        setattr(module, name, stand_ins[key])
    try:
        yield
    finally:
        for module, name, original, _ in found:
            setattr(module, name, original)


__all__ = ["KilledError", "clock_of", "virtual_threads"]
