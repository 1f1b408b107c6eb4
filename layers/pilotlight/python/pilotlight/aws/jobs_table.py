"""The jobs table as a worker writes it: what became of each job, each result once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pilotlight.aws.attribute_values import plain, typed
from pilotlight.jobs.records import Attributes, Run

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import UpdateItemInputTypeDef

# Left from earlier attempts, and not true of one that begins; nor, the latter, of a success.
OF_EARLIER_ATTEMPTS = (
    "finished_at",
    "result",
    "error",
    "output_tail",
    "dead_lettered_at",
    "checkpointed_at",
    "checkpoints",
)
OF_FAILURES = ("error", "output_tail", "dead_lettered_at")

# How an attribute is set when not simply to its value; `:name_` is the value.
EXPRESSIONS = {
    "history": "list_append(if_not_exists(#history, :none), :history_)",
    "attempt": "if_not_exists(#attempt_offset, :zero) + :attempt_",
}
OPERANDS: dict[str, tuple[tuple[str, ...], Attributes]] = {
    "history": ((), {":none": []}),
    "attempt": (("attempt_offset",), {":zero": 0}),
}


@dataclass(frozen=True)
class Claim:
    """Whether an attempt may go on, and the job's item as it was before; {} when none was."""

    granted: bool
    before: Attributes


@dataclass(frozen=True)
class _Condition:
    """`names` are the attributes that the expression mentions as #name."""

    expression: str
    names: tuple[str, ...] = ("state",)
    values: Attributes = field(default_factory=lambda: {":succeeded": "succeeded"})


NO_RESULT_YET = _Condition("attribute_not_exists(job_id) OR #state <> :succeeded")
FINAL_STATES = {":succeeded": "succeeded", ":dead_lettered": "dead_lettered"}
NOT_FINAL = _Condition(
    "attribute_not_exists(job_id) OR (#state <> :succeeded AND #state <> :dead_lettered)",
    values=FINAL_STATES,
)
NOT_OVER = _Condition(
    "attribute_exists(job_id) AND #state <> :succeeded AND #state <> :dead_lettered",
    values=FINAL_STATES,
)


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

    def begin(self, run: Run, attributes: Attributes) -> Claim:
        """Record a run that begins; not granted when the job succeeded or is dead-lettered."""
        request = self._request(run.job_id, attributes, NOT_FINAL, OF_EARLIER_ATTEMPTS)
        request["ReturnValues"] = "ALL_OLD"
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        try:
            answer = self._client.update_item(**request)
        except ClientError as error:
            if not _is_condition(error):
                raise
            return Claim(False, _item(error.response))
        return Claim(True, _item(answer, "Attributes"))

    def succeed(self, run: Run, attributes: Attributes) -> bool:
        """Record the result; False when another run recorded one first, which then stands."""
        return self._update(self._request(run.job_id, attributes, NO_RESULT_YET, OF_FAILURES))

    def amend(self, run: Run, attributes: Attributes) -> bool:
        """Record more of this run, or how it ended; False when it is not the latest."""
        return self._update(self._request(run.job_id, attributes, _latest(run)))

    def fail(self, run: Run, attributes: Attributes) -> bool:
        """Record how this run failed; False when it is not the latest, and then only the failure
        is counted. Otherwise a job that two messages are about could fail without end: each of
        its attempts is overtaken by the next one before it has failed."""
        if self.amend(run, attributes):
            return True
        self._count_failure(run.job_id)
        return False

    def reject(self, message_id: str, attributes: Attributes) -> bool:
        """Record a message that cannot be read; False when a job with a result has that id."""
        return self._update(self._request(message_id, attributes, NO_RESULT_YET))

    def _update(self, request: "UpdateItemInputTypeDef") -> bool:
        try:
            self._client.update_item(**request)
        except ClientError as error:
            if not _is_condition(error):
                raise
            return False
        return True

    def _count_failure(self, job_id: str) -> bool:
        values = {":one": 1, **NOT_OVER.values}
        return self._update(
            {
                "TableName": self._table_name,
                "Key": {"job_id": {"S": job_id}},
                "UpdateExpression": "ADD failures :one",
                "ConditionExpression": NOT_OVER.expression,
                "ExpressionAttributeNames": {f"#{name}": name for name in NOT_OVER.names},
                "ExpressionAttributeValues": {key: typed(value) for key, value in values.items()},
            }
        )

    def _request(
        self,
        job_id: str,
        attributes: Attributes,
        condition: _Condition,
        remove: Iterable[str] = (),
    ) -> "UpdateItemInputTypeDef":
        removed = [name for name in remove if name not in attributes]
        names = {*attributes, *removed, *condition.names}
        values = {f":{name}_": value for name, value in attributes.items()} | condition.values
        for name in attributes.keys() & OPERANDS.keys():
            names.update(OPERANDS[name][0])
            values.update(OPERANDS[name][1])
        return {
            "TableName": self._table_name,
            "Key": {"job_id": {"S": job_id}},
            "UpdateExpression": _update_expression(attributes, removed),
            "ConditionExpression": condition.expression,
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            "ExpressionAttributeValues": {key: typed(value) for key, value in values.items()},
        }


def _update_expression(attributes: Attributes, removed: Iterable[str]) -> str:
    expression = "SET " + ", ".join(
        f"#{name} = {EXPRESSIONS.get(name, f':{name}_')}" for name in attributes
    )
    removals = ", ".join(f"#{name}" for name in removed)
    return f"{expression} REMOVE {removals}" if removals else expression


def _is_condition(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def _item(answer: Mapping[str, Any], key: str = "Item") -> Attributes:
    return {name: plain(value) for name, value in answer.get(key, {}).items()}
