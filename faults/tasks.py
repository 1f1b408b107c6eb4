"""Blocking code in virtual time: tasks that hand over to each other at their waits, and only there.

One task runs at a time, and the clock decides which is next, so the same seed gives the same run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from greenlet import getcurrent, greenlet

from local.group.clock import Timer, VirtualClock


class KilledError(BaseException):
    """The task is dead: it unwinds, and whatever it tries on its way raises this again.

    No Exception, so that no `except Exception` of the code under test can survive it.
    """


class Task:
    """`place` is the machine or function that it runs on, for its clock and its end."""

    __slots__ = ("_timer", "body", "dead", "done", "name", "place", "switch", "waking")

    def __init__(self, body: Callable[[], Any], name: str, place: Any) -> None:
        self.body = body
        self.name = name
        self.place = place
        self.dead = False
        self.done = False
        self.waking = False
        self.switch: Callable[[], Any] | None = None
        self._timer: Timer | None = None

    def forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def wake_by(self, timer: Timer) -> None:
        self._timer = timer


class Tasks:
    """To be made, and run, by the greenlet that runs the clock."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.current: Task | None = None
        self._hub = getcurrent()
        self._begun: dict[int, Task] = {}  # and not done

    def spawn(self, body: Callable[[], Any], name: str, place: Any = None) -> Task:
        """Begins at this moment, after what runs now. What `body` raises ends the whole run."""
        task = Task(body, name, place)
        self.clock.call_at(self.clock.now(), self._begin, task)
        return task

    def sleep(self, seconds: float) -> None:
        task = self._running()
        task.wake_by(self.clock.timer_at(self.clock.now() + seconds, self._resume, task))
        self._hand_over(task)

    def pause(self, task: Task, timeout: float | None) -> None:
        """Until `wake`, or until the timeout is over."""
        if timeout is not None:
            task.wake_by(self.clock.timer_at(self.clock.now() + timeout, self._resume, task))
        self._hand_over(task)

    def wake(self, task: Task) -> None:
        if not task.done and not task.waking:
            task.waking = True
            task.forget_timer()
            self.clock.call_at(self.clock.now(), self._resume, task)

    def running(self) -> Task:
        """The task that runs; raises KilledError when it is dead."""
        return self._running()

    def kill(self, task: Task) -> None:
        """As SIGKILL: nothing that it does takes effect any more."""
        if task.dead or task.done:
            return
        task.dead = True
        if task is self.current:
            raise KilledError(task.name)
        self.wake(task)

    def end(self) -> None:
        """Kills all: what is left suspended would keep everything that it refers to for good."""
        for task in list(self._begun.values()):
            task.dead = True
            self._enter(task)

    def _running(self) -> Task:
        task = self.current
        if task is None:
            raise RuntimeError("blocking code runs outside of a task")
        if task.dead:
            raise KilledError(task.name)
        return task

    def _hand_over(self, task: Task) -> None:
        self._hub.switch()
        task.forget_timer()
        if task.dead:
            raise KilledError(task.name)

    def _begin(self, task: Task) -> None:
        if task.dead:
            task.done = True
            return
        task.switch = greenlet(lambda: self._run(task), parent=self._hub).switch
        self._begun[id(task)] = task
        self._enter(task)

    def _resume(self, task: Task) -> None:
        task.waking = False
        if task.done:
            return
        if task.switch is None:  # killed before it began
            task.done = True
            return
        place = task.place
        if place is not None and place.frozen_until > self.clock.now() and not task.dead:
            task.waking = True
            self.clock.call_at(place.frozen_until, self._resume, task)
            return
        self._enter(task)

    def _enter(self, task: Task) -> None:
        self.current = task
        try:
            task.switch()  # type: ignore[misc]
        finally:
            self.current = None

    def _run(self, task: Task) -> None:
        try:
            task.body()
        except KilledError:
            return
        finally:
            task.done = True
            del self._begun[id(task)]


class Signal:
    """What `threading.Event` is to threads."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._waiting: list[Task] = []
        self._is_set = False

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True
        waiting, self._waiting = self._waiting, []
        for task in waiting:
            self._tasks.wake(task)

    def clear(self) -> None:
        self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        task = self._tasks.running()
        if self._is_set:
            return True
        self._waiting.append(task)
        self._tasks.pause(task, timeout)
        if task in self._waiting:
            self._waiting.remove(task)
        return self._is_set
