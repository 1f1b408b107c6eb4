"""The way to AWS and back, and what can happen on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from faults.clients import Call, client_error
from faults.partly import IN_PART
from faults.plan import CALL_FAULTS, Fault
from faults.stale import EarlierAnswers
from faults.tasks import Tasks
from simulator.limits import TokenBucket

# What each service says when it is asked too often (botocore's models and retry rules).
_THROTTLED = {
    "autoscaling": "Throttling",
    "ssm": "ThrottlingException",
    "sqs": "RequestThrottled",
    "dynamodb": "ThrottlingException",
    "ec2": "RequestLimitExceeded",
    "sns": "ThrottlingException",
    "s3": "SlowDown",
    "lambda": "TooManyRequestsException",
}
# boto3 has tried again by itself before it says so (aws/calls.py, aws/instance_clients.py).
UNREACHED_SECONDS = 3.0
LOST_ANSWER_SECONDS = 6.0
# Four tries of ten seconds each, and what lies between them (aws/calls.py): longer than three of
# the functions may take.
STALLED_SECONDS = 45.0
USUAL_LATENCY_SECONDS = ((0.01, 0.08), (0.005, 0.02))  # there, with what the service does, and back
LATENCY_SECONDS = {"dynamodb": ((0.003, 0.008), (0.001, 0.003))}
FAULT = "a fault of the run"
LATE_ANSWER_SECONDS = (3.0, 14.0)


class CallFaults:
    """Those in force, and how often each took effect. `told` hears of whom, and of which call."""

    def __init__(self, now: Callable[[], float], told: Callable[[Fault, str, str], None]) -> None:
        self._now = now
        self._told = told
        self._armed: list[tuple[Fault, list[int]]] = []

    def arm(self, fault: Fault) -> None:
        self._armed.append((fault, [fault.count]))

    def next_for(self, call: Call, can: Callable[[str], bool]) -> Fault | None:
        """`can` tells whether a kind is possible with this call."""
        if not self._armed:
            return None
        now, caller = self._now(), call.caller
        self._armed = [it for it in self._armed if it[1][0] > 0 and now < it[0].at + it[0].seconds]
        for fault, left in self._armed:
            if fault.meets(caller.kind, call.service, call.operation) and can(fault.kind):
                left[0] -= 1
                name = f"{caller.kind} {call.service}.{call.operation}"
                self._told(fault, f"{caller.name}: {call.operation}", name)
                return fault
        return None

    def clear(self) -> None:
        self._armed.clear()

    def in_force(self, spared: tuple[str, ...]) -> bool:
        """Any but those of the services that are spared."""
        now = self._now()
        return any(
            left[0] > 0 and now < fault.at + fault.seconds and fault.what not in spared
            for fault, left in self._armed
        )


class FaultyWire:
    """Counts the calls of each kind of caller, too; `allowances` are AWS's limits by service."""

    def __init__(
        self, tasks: Tasks, random: Random, faults: CallFaults, stir: Callable[[], None]
    ) -> None:
        self._stir = stir
        self._tasks = tasks
        self._random = random
        self._faults = faults
        self._earlier = EarlierAnswers(tasks.clock.now)
        self.calls: Counter[tuple[str, str]] = Counter()
        self.throttled: Counter[str] = Counter()
        self.allowances: dict[str, TokenBucket] = {}

    def carry(self, call: Call) -> Mapping[str, Any]:
        self.calls[call.caller.kind, f"{call.service}.{call.operation}"] += 1
        there, back = LATENCY_SECONDS.get(call.service, USUAL_LATENCY_SECONDS)
        self._tasks.sleep(self._random.uniform(*there))
        fault = self._faults.next_for(call, lambda kind: self._can(kind, call))
        self._stir()
        if fault is None:
            self._keep_to_limits(call.service, call.operation)
            answer = call.act(call.request)
            self._earlier.keep(call.service, call.operation, call.request, answer)
            self._tasks.sleep(self._random.uniform(*back))
            return answer
        return self._faulty(CALL_FAULTS[fault.kind], call)

    def _can(self, kind: str, call: Call) -> bool:
        if kind == "read_stale":
            return self._earlier.find(call.service, call.operation, call.request) is not None
        return kind != "batch_in_part" or call.operation in IN_PART

    def _keep_to_limits(self, service: str, operation: str) -> None:
        allowance = self.allowances.get(service)
        if allowance is not None and allowance.refuses():
            self.throttled[f"{service}.{operation}"] += 1
            raise client_error(_THROTTLED[service], "Rate exceeded", operation)

    def _faulty(self, how: str, call: Call) -> Mapping[str, Any]:
        service, operation = call.service, call.operation
        if how == "throttled":
            raise client_error(_THROTTLED.get(service, "Throttling"), FAULT, operation)
        if how == "broken":
            raise client_error("InternalFailure", FAULT, operation, 500)
        if how == "unreached":
            self._tasks.sleep(UNREACHED_SECONDS)
            raise EndpointConnectionError(endpoint_url=_endpoint(call))
        if how == "crash_before":
            call.caller.crash()
        if how == "stale":
            return self._earlier.find(service, operation, call.request) or {}
        if how == "in_part":
            return IN_PART[operation](call.request, call.act, self._one_in_three)
        if how == "stalls" and self._random.random() < 0.5:
            return self._time_out(call, STALLED_SECONDS)
        return self._after_effect(how, call, call.act(call.request))

    def _after_effect(self, how: str, call: Call, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        if how == "crash_after":
            call.caller.crash()
        if how == "stalls":
            return self._time_out(call, STALLED_SECONDS)
        if how == "answer_lost":
            return self._time_out(call, LOST_ANSWER_SECONDS)
        if how == "doubled":  # boto3 asked again because the first answer was lost
            return call.act(call.request)
        self._tasks.sleep(self._random.uniform(*LATE_ANSWER_SECONDS))
        return answer

    def _time_out(self, call: Call, seconds: float) -> Mapping[str, Any]:
        self._tasks.sleep(seconds)
        raise ReadTimeoutError(endpoint_url=_endpoint(call))

    def _one_in_three(self) -> bool:
        return self._random.random() < 1 / 3


def _endpoint(call: Call) -> str:
    return f"https://{call.service}.amazonaws.com"
