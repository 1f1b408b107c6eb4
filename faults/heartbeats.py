"""The heartbeats table: DynamoDB's items of one table, written and read whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from faults.clients import Answer
from faults.expressions import Item

KEY = "sender"


class HeartbeatsTable:
    def __init__(self) -> None:
        self.items: dict[str, Item] = {}

    def answers(self) -> Mapping[str, Answer]:
        return {"PutItem": self._put, "BatchGetItem": self._get}

    def _put(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self.items[request["Item"][KEY]["S"]] = request["Item"]
        return {}

    def _get(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        [(table, wanted)] = request["RequestItems"].items()
        keys = [key[KEY]["S"] for key in wanted["Keys"]]
        found = [self.items[key] for key in keys if key in self.items]
        return {"Responses": {table: found}, "UnprocessedKeys": {}}
