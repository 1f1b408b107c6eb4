"""The jobs table as a worker writes it: what became of each job, each result once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pilotlight.jobs.records import Attributes, Run

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

# Left from earlier attempts, and not true of one that begins.
OUTCOME = ("finished_at", "result", "error", "output_tail")


@dataclass(frozen=True)
class _Condition:
    """`names` are the attributes that the expression mentions as #name."""

    expression: str
    names: tuple[str, ...] = ("state",)
    values: Attributes = field(default_factory=lambda: {":succeeded": "succeeded"})


NO_RESULT_YET = _Condition("attribute_not_exists(job_id) OR #state <> :succeeded")


def _latest(run: Run) -> _Condition:
    """Whether no other attempt at the job began after this one, and none has a result."""
    return _Condition(
        "#state = :running AND #message_id = :own_message AND #started_at = :own_start",
        ("state", "message_id", "started_at"),
        {
            ":running": "running",
            ":own_message": run.message.message_id,
            ":own_start": run.started_at,
        },
    )


class DynamoDbJobsTable:
    """Raises botocore's ClientError when DynamoDB refuses; a condition not met answers False."""

    def __init__(self, client: "DynamoDBClient", table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def begin(self, run: Run, attributes: Attributes) -> bool:
        """Record a run that begins; False when the job already has its result."""
        return self._update(run.job_id, attributes, NO_RESULT_YET, remove=OUTCOME)

    def succeed(self, run: Run, attributes: Attributes) -> bool:
        """Record the result; False when another run recorded one first, which then stands."""
        return self._update(run.job_id, attributes, NO_RESULT_YET, remove=OUTCOME)

    def end_without_result(self, run: Run, attributes: Attributes) -> bool:
        """Record why this run failed or was interrupted; False when it is not the latest run."""
        return self._update(run.job_id, attributes, _latest(run))

    def reject(self, message_id: str, attributes: Attributes) -> bool:
        """Record a message that cannot be read; False when a job with a result has that id."""
        return self._update(message_id, attributes, NO_RESULT_YET)

    def _update(
        self,
        job_id: str,
        attributes: Attributes,
        condition: _Condition,
        remove: Iterable[str] = (),
    ) -> bool:
        removed = [name for name in remove if name not in attributes]
        expression = "SET " + ", ".join(f"#{name} = :{name}_" for name in attributes)
        if removed:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in removed)
        values = {f":{name}_": value for name, value in attributes.items()} | condition.values
        try:
            self._client.update_item(
                TableName=self._table_name,
                Key={"job_id": {"S": job_id}},
                UpdateExpression=expression,
                ConditionExpression=condition.expression,
                ExpressionAttributeNames={
                    f"#{name}": name for name in {*attributes, *removed, *condition.names}
                },
                ExpressionAttributeValues={key: _typed(value) for key, value in values.items()},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _typed(value: str | int | float) -> "AttributeValueTypeDef":
    return {"S": value} if isinstance(value, str) else {"N": repr(value)}
