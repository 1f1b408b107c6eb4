"""The beginnings and results of many jobs in one call, each written on its own condition.

PartiQL is DynamoDB's only batch that can do so: BatchWriteItem knows no conditions, and a
transaction fails as a whole when one of them does, and costs twice (DynamoDB API reference). Each
statement costs what the single write would.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pilotlight.aws.attribute_values import typed
from pilotlight.jobs.records import Attributes, Run

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef

Record = tuple[Run, Attributes]


class DynamoDbJobsBatch:
    """Each takes up to 25 (botocore's DynamoDB model, BatchExecuteStatement), and answers for each
    whether it was recorded; one that was not has to be tried alone, with DynamoDbJobsTable.

    Raises botocore's errors when the call failed: then any of it may have happened.
    """

    def __init__(self, client: "DynamoDBClient", table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def begin(self, beginnings: Sequence[Record]) -> list[bool]:
        """Of jobs that the table knows nothing of."""
        return self._execute(self._insert(run, attributes) for run, attributes in beginnings)

    def amend(self, ends: Sequence[Record]) -> list[bool]:
        """Of the latest attempts, as DynamoDbJobsTable.amend; but `history` is set and not appended
        to, for which PartiQL has no words where there is none yet."""
        return self._execute(self._update(run, attributes) for run, attributes in ends)

    def _execute(self, statements: "Iterable[BatchStatementRequestTypeDef]") -> list[bool]:
        answer = self._client.batch_execute_statement(Statements=[*statements])
        return ["Error" not in response for response in answer["Responses"]]

    def _insert(self, run: Run, attributes: Attributes) -> "BatchStatementRequestTypeDef":
        item = {"job_id": run.job_id, **attributes}
        values = ", ".join(f"'{name}': ?" for name in item)
        return _statement(f'INSERT INTO "{self._table_name}" VALUE {{{values}}}', item.values())

    def _update(self, run: Run, attributes: Attributes) -> "BatchStatementRequestTypeDef":
        condition = {
            "job_id": run.job_id,
            "state": "running",
            "message_id": run.message.message_id,
            "started_at": run.started_at,
        }
        changes = " ".join(f'SET "{name}"=?' for name in attributes)
        where = " AND ".join(f'"{name}"=?' for name in condition)
        values = (*attributes.values(), *condition.values())
        return _statement(f'UPDATE "{self._table_name}" {changes} WHERE {where}', values)


def _statement(text: str, values: Iterable[Any]) -> "BatchStatementRequestTypeDef":
    return {"Statement": text, "Parameters": [typed(value) for value in values]}
