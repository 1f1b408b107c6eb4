"""Every write of the jobs table, as DynamoDB's stream tells it, whoever wrote and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.stack import Stack

Image = Mapping[str, Any]
PAGE = 1000  # GetRecords gives no more


@dataclass(frozen=True, slots=True)
class Write:
    """One item before and after; `before` is empty for a new one. Values as DynamoDB types them."""

    before: Image
    after: Image

    @property
    def job_id(self) -> str:
        return text(self.after, "job_id")

    @property
    def records_result(self) -> bool:
        """Whether this write put a result there, or another one than there was."""
        told = [
            tuple(text(image, name) for name in ("result", "attempt", "finished_at"))
            for image in (self.before, self.after)
        ]
        return "result" in self.after and told[0] != told[1]

    @property
    def begins_attempt(self) -> bool:
        """Whether a worker took the job with this write."""
        began = text(self.after, "started_at")
        return bool(began) and began != text(self.before, "started_at")


class TableLog:
    """DynamoDB keeps a stream's records for 24 hours. Raises botocore's ClientError."""

    def __init__(self, stack: Stack) -> None:
        self._dynamodb = stack.cloud.client("dynamodb")
        self._streams = stack.cloud.client("dynamodbstreams")
        self._table_name = stack.output("JobsTableName")

    def open(self) -> None:
        """From now on; the stack's own template asks for no stream."""
        self._dynamodb.update_table(
            TableName=self._table_name,
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )

    def writes(self) -> list[Write]:
        """All since `open`, each job's in the order in which they were made."""
        arn = self._dynamodb.describe_table(TableName=self._table_name)["Table"]["LatestStreamArn"]
        shards = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        return [write for shard in shards for write in self._read(arn, shard["ShardId"])]

    def _read(self, stream_arn: str, shard_id: str) -> Iterator[Write]:
        """An open shard has always another iterator: it ends with its newest record."""
        iterator = self._streams.get_shard_iterator(
            StreamArn=stream_arn, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            page = self._streams.get_records(ShardIterator=iterator, Limit=PAGE)
            for record in page["Records"]:
                images = record["dynamodb"]
                if "NewImage" in images:
                    yield Write(images.get("OldImage", {}), images["NewImage"])
            iterator = page.get("NextShardIterator") if page["Records"] else None


def text(image: Image, name: str) -> str:
    """A string or number attribute as text; empty when it is absent."""
    value = image.get(name, {})
    return str(value.get("S", value.get("N", "")))
