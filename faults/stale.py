"""Reads that lag behind: what was so a moment ago is said again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

# Who is eventually consistent, or says "approximate", in its API reference. S3 is not.
LAGGING: Mapping[str, tuple[str, ...]] = {
    "autoscaling": ("Describe",),
    "ec2": ("Describe",),
    "sqs": ("GetQueueAttributes",),
    "dynamodb": ("BatchGet",),
    "ssm": ("Describe", "GetCommandInvocation", "List"),
}
LAG_SECONDS = 20.0
_Key = tuple[str, str, str]


class EarlierAnswers:
    """The latest answer to each request that may lag."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._answers: dict[_Key, tuple[float, Mapping[str, Any]]] = {}

    def keep(
        self, service: str, operation: str, request: Mapping[str, Any], answer: Mapping[str, Any]
    ) -> None:
        if operation.startswith(LAGGING.get(service, ())):
            self._answers[service, operation, str(request)] = (self._now(), answer)

    def find(
        self, service: str, operation: str, request: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """None when there was none lately."""
        at, answer = self._answers.get((service, operation, str(request)), (float("-inf"), None))
        return answer if self._now() <= at + LAG_SECONDS else None
