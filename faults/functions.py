"""Lambda: the shipped handlers, each in execution environments of its own.

A cold start executes the function's module with a boto3, a clock and an environment of its own;
nothing in the module is changed. An invocation can time out, crash at any call, or come twice.
"""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any, Protocol

from faults.clients import Caller, Client
from faults.diary import Diary
from faults.tasks import Signal, Task, Tasks
from local.group.clock import Schedule
from pilotlight.observability import metrics

FOLDER = Path(__file__).parents[1] / "functions"
COLD_START_SECONDS = 1.2
WARM_ENVIRONMENTS = 5


@dataclass(frozen=True)
class Outcome:
    """What an invocation came to: its answer, or None when it failed, crashed or timed out."""

    answer: Any
    failed: bool


class Surroundings(Protocol):
    """What a function meets, and who hears what becomes of it."""

    tasks: Tasks
    diary: Diary
    tally: Counter[str]

    @property
    def clock(self) -> Schedule: ...

    def client(self, service: str, caller: Caller) -> Client: ...


class Environment:
    """One execution environment; `module` is what a cold start made of the function's code."""

    kind = "functions"
    frozen_until = 0.0
    skew_seconds = 0.0

    def __init__(self, function: Function, number: int) -> None:
        self.function = function
        self.name = f"{function.name}/{number}"
        self.module: Mapping[str, Any] = {}
        self.dead = False
        self._task: Task | None = None

    def adopt(self, task: Task) -> None:
        self._task = task

    def thread_failed(self, error: Exception) -> None:
        raise error

    def crash(self) -> None:
        self.dead = True
        self.function.around.diary.say(f"{self.name} crashes")
        if self._task is not None:
            self.function.around.tasks.kill(self._task)


class Function:
    """`settings` are the environment variables."""

    def __init__(
        self,
        around: Surroundings,
        name: str,
        settings: Mapping[str, str],
        timeout_seconds: float,
    ) -> None:
        self.around = around
        self.name = name
        self.settings = settings
        self.timeout_seconds = timeout_seconds
        self.invocations = self.failures = 0
        self.billed_seconds = 0.0
        self._code = _compiled(name)
        self._idle: list[Environment] = []
        self._made = 0
        self._deployment = 0

    def deploy(self, settings: Mapping[str, str]) -> None:
        """New code and settings: nothing that is warm is used again."""
        self.settings = settings
        self._deployment += 1
        self._idle.clear()

    def invoke(self, event: Mapping[str, Any], then: Callable[[Outcome], None]) -> None:
        """`then` is told once, when it has ended."""
        environment = self._idle.pop() if self._idle else None
        cold = environment is None
        if environment is None:
            self._made += 1
            environment = Environment(self, self._made)
        self.invocations += 1
        _Invocation(self, environment, event, then, cold, self._deployment).begin()

    def ended(self, environment: Environment, deployment: int, failed: bool) -> None:
        self.failures += failed
        if deployment == self._deployment and not environment.dead:
            self._idle.append(environment)

    def start(self, environment: Environment) -> Mapping[str, Any]:
        """A cold start. Raises what the module raises."""
        module = {"__name__": f"{self.name}_app"}
        imports = _Imports(self.around, environment, self.settings)
        module["__builtins__"] = {**vars(builtins), "__import__": imports}  # type: ignore[assignment]
        exec(self._code, module)  # noqa: S102  the function's own module, as Lambda imports it
        return module


class _Invocation:
    def __init__(
        self,
        function: Function,
        environment: Environment,
        event: Mapping[str, Any],
        then: Callable[[Outcome], None],
        cold: bool,
        deployment: int,
    ) -> None:
        self._function = function
        self._environment = environment
        self._event = event
        self._then = then
        self._cold = cold
        self._deployment = deployment
        self._outcome = Outcome(None, failed=True)
        self._ended = Signal(function.around.tasks)
        self._begun_at = function.around.clock.now()

    def begin(self) -> None:
        tasks = self._function.around.tasks
        task = tasks.spawn(self._run, self._environment.name, self._environment)
        self._environment.adopt(task)
        tasks.spawn(lambda: self._watch(task), f"limit of {self._environment.name}")

    def _watch(self, task: Task) -> None:
        """Lambda itself: kills what takes too long, and reports how it ended."""
        around = self._function.around
        limit = self._function.timeout_seconds
        if not self._ended.wait(limit) and not task.done:
            around.diary.say(f"{self._environment.name} times out after {limit:.0f} s")
            around.tally["function_timed_out"] += 1
            self._environment.dead = True
            around.tasks.kill(task)
        self._function.billed_seconds += around.clock.now() - self._begun_at
        self._function.ended(self._environment, self._deployment, self._outcome.failed)
        self._then(self._outcome)

    def _run(self) -> None:
        around, environment = self._function.around, self._environment
        try:
            if self._cold:
                around.tasks.sleep(COLD_START_SECONDS)
                environment.module = self._function.start(environment)
            answer = environment.module["handler"](self._event, _CONTEXT)
            self._outcome = Outcome(answer, failed=False)
        except Exception as error:
            around.tally["function_failed"] += 1
            around.diary.say(f"{environment.name} failed: {type(error).__name__}: {error}")
            environment.dead = self._cold and not environment.module
        finally:
            metrics.clear_metrics()  # at a hundred they would be printed
            self._ended.set()


class _Imports:
    """What a function's module gets for `import boto3`, `time`, `os` and `datetime`."""

    def __init__(
        self, around: Surroundings, environment: Environment, settings: Mapping[str, str]
    ) -> None:
        clock = around.clock

        class VirtualDatetime(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return datetime.fromtimestamp(clock.now(), tz)

        def client(service: str, config: object = None) -> Any:  # noqa: ARG001
            return around.client(service, environment)

        self._given: Mapping[str, Any] = {
            "boto3": SimpleNamespace(client=client),
            "time": SimpleNamespace(time=clock.now),
            "os": SimpleNamespace(environ=settings),
            "datetime": SimpleNamespace(UTC=UTC, datetime=VirtualDatetime),
        }

    def __call__(self, name: str, *rest: Any, **named: Any) -> Any:
        if name in self._given:
            return self._given[name]
        return __import__(name, *rest, **named)


class Context:
    """Lambda's context object."""

    function_name = "function"
    function_version = "$LATEST"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id = "52fdfc07-2182-154f-163f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


_CONTEXT = Context()


@cache
def _compiled(name: str) -> CodeType:
    path = FOLDER / name / "app.py"
    return compile(path.read_text(encoding="utf-8"), str(path), "exec")
