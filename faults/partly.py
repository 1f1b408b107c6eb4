"""Batches that AWS carries out in part: the answer is a success, and says of whom it is none.

API references: SendMessageBatch and DeleteMessageBatch (Failed), BatchGetItem (UnprocessedKeys),
BatchExecuteStatement (an Error for each statement).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from faults.table import refused

Request = Mapping[str, Any]
Act = Callable[[Request], Mapping[str, Any]]
Chance = Callable[[], bool]
WHY = "a fault of the run"


def _entries(request: Request, act: Act, is_refused: Chance) -> Mapping[str, Any]:
    kept, failed = [], []
    for entry in request["Entries"]:
        if is_refused():
            failed.append({"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"})
        else:
            kept.append(entry)
    told = act({**request, "Entries": kept}) if kept else {"Successful": [], "Failed": []}
    return {**told, "Failed": [*told.get("Failed", ()), *failed]}


def _keys(request: Request, act: Act, is_refused: Chance) -> Mapping[str, Any]:
    [(table, wanted)] = request["RequestItems"].items()
    kept: list[Any] = []
    left: list[Any] = []
    for key in wanted["Keys"]:
        (left if is_refused() else kept).append(key)
    told = act({"RequestItems": {table: {**wanted, "Keys": kept}}}) if kept else {"Responses": {}}
    return {**told, "UnprocessedKeys": {table: {"Keys": left}} if left else {}}


def _statements(request: Request, act: Act, is_refused: Chance) -> Mapping[str, Any]:
    """Some are not run, others are, and the answer does not know of it."""
    throttled = [is_refused() for _ in request["Statements"]]
    kept = [it for it, out in zip(request["Statements"], throttled, strict=True) if not out]
    told = iter(act({**request, "Statements": kept})["Responses"] if kept else ())
    responses = []
    for is_out in throttled:
        response = refused("ThrottlingError", WHY) if is_out else next(told)
        responses.append(refused("InternalServerError", WHY) if is_refused() else response)
    return {"Responses": responses}


IN_PART: Mapping[str, Callable[[Request, Act, Chance], Mapping[str, Any]]] = {
    "SendMessageBatch": _entries,
    "DeleteMessageBatch": _entries,
    "BatchGetItem": _keys,
    "BatchExecuteStatement": _statements,
}
