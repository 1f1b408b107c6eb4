"""The jobs table as one reads it who waits for a job."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class JobItem:
    """`result` is JSON text, and empty as `error` is while there is none."""

    state: str
    result: str
    error: str


class DynamoDbJobItems:
    """Raises botocore's ClientError or BotoCoreError when DynamoDB refuses or is out of reach."""

    def __init__(self, client: "DynamoDBClient", table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def get(self, job_id: str) -> JobItem | None:
        """None when no worker has received the job yet, or its item has expired."""
        item = self._client.get_item(
            TableName=self._table_name,
            Key={"job_id": {"S": job_id}},
            ConsistentRead=True,
            ProjectionExpression="#state, #result, #error",
            ExpressionAttributeNames={f"#{name}": name for name in ("state", "result", "error")},
        ).get("Item")
        if item is None:
            return None
        return JobItem(*(item.get(name, {}).get("S", "") for name in ("state", "result", "error")))
