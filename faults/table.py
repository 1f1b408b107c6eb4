"""The jobs table: DynamoDB's items of one table, changed on conditions, alone or in batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from faults.clients import Answer, RefusedError
from faults.expressions import Item, holds, updated
from faults.partiql import Statement, StatementError, parsed

MAX_ITEM_BYTES = 409_600
TOO_LARGE = "Item size to update has exceeded the maximum allowed size"


class JobsTable:
    """`watch(key, before, after)` hears of every change."""

    def __init__(
        self, name: str, key: str, random: Random, watch: Callable[[str, Item, Item], None]
    ) -> None:
        self._name = name
        self._key = key
        self._random = random
        self._watch = watch
        self.items: dict[str, Item] = {}

    def answers(self) -> Mapping[str, Answer]:
        return {
            "UpdateItem": self._update,
            "GetItem": self._get,
            "BatchExecuteStatement": self._execute,
        }

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
            raise RefusedError("ValidationException", TOO_LARGE)
        self._put(key, before, after)
        wanted = request.get("ReturnValues", "NONE")
        shown = {"ALL_NEW": after, "ALL_OLD": before}.get(wanted, {})
        return {"Attributes": shown} if shown else {}

    def _execute(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Each statement for itself. AWS promises no order, and does not say what becomes of two
        about one item: here they are run, or the batch is refused as BatchWriteItem would."""
        batch = [(parsed(it["Statement"]), it["Parameters"]) for it in request["Statements"]]
        if self._is_about_one_item_twice(batch) and self._random.random() < 0.5:
            raise RefusedError(
                "ValidationException", "Provided list of item keys contains duplicates"
            )
        responses: list[Mapping[str, Any]] = [{} for _ in batch]
        order = list(range(len(batch)))
        self._random.shuffle(order)
        for place in order:
            responses[place] = self._run(*batch[place])
        return {"Responses": responses}

    def _is_about_one_item_twice(self, batch: Sequence[tuple[Statement, Sequence[Any]]]) -> bool:
        keys = {statement.key(self._key, values) for statement, values in batch}
        return len(keys) < len(batch)

    def _run(self, statement: Statement, values: Sequence[Any]) -> Mapping[str, Any]:
        if statement.table != self._name:
            return refused("ResourceNotFound", f"there is no table {statement.table}")
        key = statement.key(self._key, values)
        if key is None:
            return refused("ValidationError", f"the statement has no equality on {self._key}")
        before = self.items.get(key, {})
        try:
            after = statement.after(before, values)
        except StatementError as error:
            return refused(error.code, error.message)
        if len(str(after)) > MAX_ITEM_BYTES:
            return refused("ValidationError", TOO_LARGE)
        self._put(key, before, after)
        return {"TableName": self._name}

    def _put(self, key: str, before: Item, after: Item) -> None:
        self.items[key] = after
        self._watch(key, before, after)


def refused(code: str, message: str) -> Mapping[str, Any]:
    """What a batch's answer says of one statement."""
    return {"Error": {"Code": code, "Message": message}}
