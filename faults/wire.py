"""The way to AWS and back, and what can happen on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from faults.clients import Caller, client_error
from faults.plan import CALL_FAULTS, Fault
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
FAULT = "a fault of the run"
LATE_ANSWER_SECONDS = (3.0, 14.0)


class CallFaults:
    """Those in force now, and how often each took effect."""

    def __init__(self, now: Callable[[], float], told: Callable[[Fault, str], None]) -> None:
        self._now = now
        self._told = told
        self._armed: list[tuple[Fault, list[int]]] = []

    def arm(self, fault: Fault) -> None:
        self._armed.append((fault, [fault.count]))

    def next_for(self, caller: Caller, service: str, operation: str) -> Fault | None:
        if not self._armed:
            return None
        now = self._now()
        self._armed = [it for it in self._armed if it[1][0] > 0 and now < it[0].at + it[0].seconds]
        for fault, left in self._armed:
            if fault.meets(caller.kind, service, operation):
                left[0] -= 1
                self._told(fault, f"{caller.name}: {operation}")
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
        self.calls: Counter[tuple[str, str]] = Counter()
        self.throttled: Counter[str] = Counter()
        self.allowances: dict[str, TokenBucket] = {}

    def carry(
        self, caller: Caller, service: str, operation: str, act: Callable[[], Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        self.calls[caller.kind, f"{service}.{operation}"] += 1
        self._tasks.sleep(self._random.uniform(0.01, 0.08))
        fault = self._faults.next_for(caller, service, operation)
        self._stir()
        if fault is None:
            self._keep_to_limits(service, operation)
            answer = act()
            self._tasks.sleep(self._random.uniform(0.005, 0.02))
            return answer
        return self._faulty(CALL_FAULTS[fault.kind], caller, service, operation, act)

    def _keep_to_limits(self, service: str, operation: str) -> None:
        allowance = self.allowances.get(service)
        if allowance is not None and allowance.refuses():
            self.throttled[f"{service}.{operation}"] += 1
            raise client_error(_THROTTLED[service], "Rate exceeded", operation)

    def _faulty(
        self,
        how: str,
        caller: Caller,
        service: str,
        operation: str,
        act: Callable[[], Mapping[str, Any]],
    ) -> Mapping[str, Any]:
        if how == "throttled":
            raise client_error(_THROTTLED.get(service, "Throttling"), FAULT, operation)
        if how == "broken":
            raise client_error("InternalFailure", FAULT, operation, 500)
        if how == "unreached":
            self._tasks.sleep(UNREACHED_SECONDS)
            raise EndpointConnectionError(endpoint_url=f"https://{service}.amazonaws.com")
        if how == "crash_before":
            caller.crash()
        answer = act()
        if how == "crash_after":
            caller.crash()
        if how == "answer_lost":
            self._tasks.sleep(LOST_ANSWER_SECONDS)
            raise ReadTimeoutError(endpoint_url=f"https://{service}.amazonaws.com")
        if how == "doubled":  # boto3 asked again because the first answer was lost
            return act()
        # An answer that comes late says what was so: the same as a reader that lags behind.
        self._tasks.sleep(self._random.uniform(*LATE_ANSWER_SECONDS))
        return answer
