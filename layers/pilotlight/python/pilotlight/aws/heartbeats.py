"""The heartbeats table: a row for each sender."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pilotlight.aws.attribute_values import plain, typed
from pilotlight.errors import TransientError
from pilotlight.fleet.heartbeat import Heartbeat

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

KEY = "sender"
# Of a sender that is gone; one that merely sleeps is judged by its start.
KEEP_SECONDS = 14 * 86_400
_ROWS_PER_CALL = 100  # botocore's DynamoDB model, BatchGetItem


class DynamoDbHeartbeats:
    """Implements fleet's Heartbeats. Raises botocore's errors when a call fails."""

    def __init__(self, client: "DynamoDBClient", table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def send(self, sender: str, heartbeat: Heartbeat) -> None:
        due_at = heartbeat.due_at.timestamp()
        row: dict[str, str | float] = {
            KEY: sender,
            "since": heartbeat.since.timestamp(),
            "due_at": due_at,
            "expires_at": int(due_at) + KEEP_SECONDS,
        }
        self._client.put_item(
            TableName=self._table_name, Item={name: typed(value) for name, value in row.items()}
        )

    def of(self, senders: Iterable[str]) -> Mapping[str, Heartbeat]:
        """Raises TransientError when DynamoDB left some out: they are not known to be silent."""
        wanted = list(senders)
        return {
            sender: heartbeat
            for start in range(0, len(wanted), _ROWS_PER_CALL)
            for sender, heartbeat in self._read(wanted[start : start + _ROWS_PER_CALL])
        }

    def _read(self, senders: Sequence[str]) -> list[tuple[str, Heartbeat]]:
        keys = [{KEY: typed(sender)} for sender in senders]
        answer = self._client.batch_get_item(RequestItems={self._table_name: {"Keys": keys}})
        if answer.get("UnprocessedKeys"):
            raise TransientError(f"{self._table_name}: DynamoDB read only some of the heartbeats")
        return [_heartbeat(row) for row in answer["Responses"].get(self._table_name, [])]


def _heartbeat(row: "Mapping[str, AttributeValueTypeDef]") -> tuple[str, Heartbeat]:
    since, due_at = (datetime.fromtimestamp(plain(row[it]), UTC) for it in ("since", "due_at"))
    return plain(row[KEY]), Heartbeat(since, due_at)
