"""The jobs table: DynamoDB's items of one table, changed by conditional updates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from faults.clients import Answer, RefusedError
from faults.expressions import Item, holds, updated

MAX_ITEM_BYTES = 409_600


class JobsTable:
    """`watch(key, before, after)` hears of every change."""

    def __init__(self, key: str, watch: Callable[[str, Item, Item], None]) -> None:
        self._key = key
        self._watch = watch
        self.items: dict[str, Item] = {}

    def answers(self) -> Mapping[str, Answer]:
        return {"UpdateItem": self._update, "GetItem": self._get}

    def _get(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        item = self.items.get(request["Key"][self._key]["S"])
        return {"Item": item} if item else {}

    def _update(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        key = request["Key"][self._key]["S"]
        before = self.items.get(key, {})
        names = request.get("ExpressionAttributeNames", {})
        values = request.get("ExpressionAttributeValues", {})
        condition = request.get("ConditionExpression")
        if condition and not holds(condition, before, names, values):
            shown = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and before
            raise RefusedError(
                "ConditionalCheckFailedException",
                "The conditional request failed",
                **({"Item": before} if shown else {}),
            )
        after = updated(request["UpdateExpression"], before, names, values) | request["Key"]
        if len(str(after)) > MAX_ITEM_BYTES:
            raise RefusedError(
                "ValidationException", "Item size to update has exceeded the maximum allowed size"
            )
        self.items[key] = after
        self._watch(key, before, after)
        wanted = request.get("ReturnValues", "NONE")
        shown = {"ALL_NEW": after, "ALL_OLD": before}.get(wanted, {})
        return {"Attributes": shown} if shown else {}
