"""Run Command: a command waits for each agent, runs there, and answers or does not.

User guide, "Understanding command statuses" and "Run Command timeouts": TimeoutSeconds limits the
wait for the agent; TimeoutSeconds and the timeouts of the steps together limit the wait for its
answer. Both are the caller's own and count real seconds whatever the speed of the embedded AWS.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from local.group.clock import Schedule
from local.instances.host import Completed
from local.services.run_command_events import command_event, invocation_event
from local.services.run_command_records import Command, Invocation, StepResult, answer, rolled_up
from local.services.ssm_documents import Step

_STOPPED_EXIT_CODE = 137  # 128 + SIGKILL, by which the agent ends a script that is late


class Agents(Protocol):
    """The SSM agents of all instances."""

    def agent_online(self, instance_id: str) -> bool: ...

    def run(
        self,
        instance_id: str,
        argv: Sequence[str],
        environment: Mapping[str, str],
        timeout_seconds: float,
    ) -> Completed: ...


class OutputLog(Protocol):
    """Where CloudWatchOutputConfig sends what scripts write."""

    def write(self, group: str, stream: str, text: str) -> None: ...


Emit = Callable[[str, str, Mapping[str, Any], Sequence[str]], None]


@dataclass(frozen=True, slots=True)
class Delays:
    """What AWS itself takes, in seconds. AWS publishes neither number: people see the first read
    fail for about a second; the agent long-polls, so that it has a command soon after."""

    propagation_seconds: float = 1.0
    redelivery_seconds: float = 5.0


class RunCommand:
    """All commands of one account and region. Thread-safe; scripts run on threads of their own."""

    def __init__(
        self,
        agents: Agents,
        schedule: Schedule,
        start_thread: Callable[[Callable[[], None]], None],
        emit: Emit,
        output_log: OutputLog,
        instance_arn: Callable[[str], str],
        delays: Delays,
    ) -> None:
        self._agents = agents
        self._schedule = schedule
        self._start_thread = start_thread
        self._emit = emit
        self._output_log = output_log
        self._instance_arn = instance_arn
        self._delays = delays
        self._commands: dict[str, Command] = {}
        self.lock = threading.RLock()

    def commands(self, instance_id: str | None = None) -> list[Command]:
        """Every command, or those to one instance, newest first; hold `lock` while reading them."""
        found = [
            command
            for command in self._commands.values()
            if instance_id is None or instance_id in command.invocations
        ]
        return sorted(found, key=lambda c: c.requested_at, reverse=True)

    def find(self, command_id: str) -> Command | None:
        return self._commands.get(command_id)

    def send(
        self,
        steps: Sequence[Step],
        instance_ids: Sequence[str],
        request: Mapping[str, Any],
        document_version: str,
        delivery_seconds: float,
        max_concurrency: int,
        max_errors: int,
    ) -> Command:
        """Accept a command whose document, parameters and targets were found valid."""
        invocations = {i: Invocation(i, [StepResult(step) for step in steps]) for i in instance_ids}
        command = Command(
            command_id=str(uuid.uuid4()),
            document_name=request["DocumentName"],
            document_version=document_version,
            comment=request.get("Comment") or "",
            parameters=request.get("Parameters") or {},
            request=request,
            requested_at=self._schedule.now(),
            delivery_seconds=delivery_seconds,
            execution_seconds=sum(step.timeout_seconds for step in steps),
            max_concurrency=max_concurrency,
            max_errors=max_errors,
            invocations=invocations,
            waiting=list(invocations.values()),
        )
        with self.lock:
            self._commands[command.command_id] = command
        self._after(self._delays.propagation_seconds, self._propagate, command)
        self._schedule.call_at(
            command.requested_at + delivery_seconds, self._expire_undelivered, command
        )
        self._schedule.call_at(command.expires_at, self._expire_unanswered, command)
        return command

    def cancel(self, command: Command, instance_ids: Sequence[str]) -> None:
        """Drop what has not reached its agent; what runs already ends first.

        "There is no guarantee that the command will be terminated" (SSM model, CancelCommand).
        """
        with self.lock:
            command.is_cancelling = True
            for invocation in command.invocations.values():
                if invocation.is_over or (
                    instance_ids and invocation.instance_id not in instance_ids
                ):
                    continue
                details = "Cancelling" if invocation.delivered else "Cancelled"
                self._move(command, invocation, details)

    def _after(self, seconds: float, call: Callable[..., None], *args: Any) -> None:
        self._schedule.call_at(self._schedule.now() + seconds, call, *args)

    def _propagate(self, command: Command) -> None:
        with self.lock:
            for invocation in command.invocations.values():
                invocation.propagated = True
            self._refresh(command)
            self._fill(command)

    def _fill(self, command: Command) -> None:
        """Hand over as many invocations as MaxConcurrency lets run at once."""
        if command.error_count > command.max_errors:
            given_up, command.waiting = command.waiting, []
            for invocation in given_up:
                self._move(command, invocation, "Terminated")
        command.waiting = [i for i in command.waiting if not i.is_over]
        open_count = sum(not i.is_over for i in command.invocations.values())
        room = command.max_concurrency - (open_count - len(command.waiting))
        handed_over, command.waiting = command.waiting[:room], command.waiting[room:]
        for invocation in handed_over:
            self._deliver(command, invocation)

    def _deliver(self, command: Command, invocation: Invocation) -> None:
        with self.lock:
            if invocation.is_over:
                return
            if not self._agents.agent_online(invocation.instance_id):
                self._move(command, invocation, "Delayed")
                self._after(self._delays.redelivery_seconds, self._deliver, command, invocation)
                return
            invocation.delivered = True
            self._move(command, invocation, "InProgress")
        self._start_thread(lambda: self._execute(command, invocation))

    def _expire_undelivered(self, command: Command) -> None:
        with self.lock:
            self._give_up(command, [i for i in command.invocations.values() if not i.delivered])

    def _expire_unanswered(self, command: Command) -> None:
        with self.lock:
            self._give_up(command, list(command.invocations.values()))

    def _give_up(self, command: Command, invocations: Sequence[Invocation]) -> None:
        for invocation in invocations:
            if not invocation.is_over:
                self._move(command, invocation, "DeliveryTimedOut")

    def _execute(self, command: Command, invocation: Invocation) -> None:
        """Run the steps; returns without an answer when the box is gone in the middle."""
        is_leaving = False
        for result in invocation.results:
            if is_leaving and not result.step.runs_always:
                continue
            try:
                self._run_step(command, invocation, result)
            except ConnectionError:
                return
            is_leaving = is_leaving or result.ends_document
        with self.lock:
            if not invocation.is_over:
                is_cancelled = invocation.details == "Cancelling"
                self._move(
                    command, invocation, "Cancelled" if is_cancelled else answer(invocation.results)
                )

    def _run_step(self, command: Command, invocation: Invocation, result: StepResult) -> None:
        step = result.step
        result.started_at, result.details = self._schedule.now(), "InProgress"
        try:
            done = self._agents.run(
                invocation.instance_id, step.argv(), step.environment, step.timeout_seconds
            )
        except TimeoutError:
            done = Completed(_STOPPED_EXIT_CODE, "", "")
            details = "ExecutionTimedOut"
        else:
            details = "Success" if done.exit_code == 0 else "Failed"
        stderr = done.stderr
        if details != "Success":  # the agent's own line, at the end of what the script wrote
            stderr += f"failed to run commands: exit status {done.exit_code}"
        with self.lock:
            result.stdout, result.stderr, result.response_code = done.stdout, stderr, done.exit_code
            result.finished_at, result.details = self._schedule.now(), details
        self._log_output(command, invocation, result)

    def _log_output(self, command: Command, invocation: Invocation, result: StepResult) -> None:
        config = command.request.get("CloudWatchOutputConfig") or {}
        if not config.get("CloudWatchOutputEnabled"):
            return
        group = config.get("CloudWatchLogGroupName") or f"/aws/ssm/{command.document_name}"
        step_name = result.step.name.replace(":", "-")
        prefix = f"{command.command_id}/{invocation.instance_id}/{step_name}"
        for name, text in (("stdout", result.stdout), ("stderr", result.stderr)):
            if text:
                self._output_log.write(group, f"{prefix}/{name}", text)

    def _move(self, command: Command, invocation: Invocation, details: str) -> None:
        """Enter a status, tell it, and see what follows for the command; the lock is held."""
        if invocation.details == details:
            return
        invocation.details = details
        arn = self._instance_arn(invocation.instance_id)
        self._emit(*invocation_event(command, invocation, arn))
        self._refresh(command)
        if invocation.is_over:
            self._fill(command)

    def _refresh(self, command: Command) -> None:
        details = rolled_up(command)
        if details == command.details:
            return
        command.details = details
        arns = [self._instance_arn(i) for i in command.invocations]
        self._emit(*command_event(command, arns))
