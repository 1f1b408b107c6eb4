"""Strikes a fleet as a plan says: chooses what is hit, and notes what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import ClientError

from cli.churn.acts import Acts
from cli.churn.plan import Kind, Strike, picked
from cli.cloudlogs import FUNCTIONS
from cli.errors import CommandError
from cli.stack import Stack


@dataclass(frozen=True, slots=True)
class Hit:
    """One strike as it fell; `target` is an instance, a function or empty. Epoch seconds."""

    kind: Kind
    at: float
    until: float
    target: str
    landed: bool
    detail: str


class Striker:
    """Strikes may overlap: each blocks for as long as it lasts."""

    def __init__(self, stack: Stack, acts: Acts, serving: Callable[[], list[str]]) -> None:
        """`serving` are the ids of the instances that are in service now."""
        self._stack = stack
        self._acts = acts
        self._serving = serving
        self._dynamodb = stack.cloud.client("dynamodb")

    def strike(self, strike: Strike) -> Hit:
        """A strike that meets nothing, or is refused, did not land and says why."""
        at = time.time()
        target = self._target(strike)
        if target is None:
            return Hit(strike.kind, at, at, "", False, "no instance is in service")
        try:
            landed, detail = True, self._acts.carry_out(strike, target)
        except (ClientError, CommandError) as error:
            landed, detail = False, str(error)
        return Hit(strike.kind, at, time.time(), target, landed, detail)

    def _target(self, strike: Strike) -> str | None:
        """Instances at work before idle ones; None when there is none to hit."""
        if strike.kind in (Kind.CAPACITY, Kind.API_CUT):
            return ""
        if strike.kind is Kind.FUNCTION_KILLED:
            return f"{self._stack.name}-{picked(strike.pick, FUNCTIONS)}"
        serving = sorted(self._serving())
        working = self._working()
        choice = [each for each in serving if each in working] or serving
        return picked(strike.pick, choice) if choice else None

    def _working(self) -> set[str]:
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._stack.output("JobsTableName"),
            FilterExpression="#state = :running",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":running": {"S": "running"}},
        )
        return {item["instance_id"]["S"] for page in pages for item in page["Items"]}
