"""SQS records in a function: permanent or transient, decided once, here at the edge."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from pilotlight.errors import MalformedEventError, TransientError
from pilotlight.observability import count, logger


class Item(Protocol):
    def log_fields(self, now: datetime) -> dict[str, Any]: ...


class GivesBack(Protocol):
    def give_back(self, receipt_handle: str, seconds: int) -> None: ...


ItemT = TypeVar("ItemT", bound=Item)


def process_records(
    event: dict[str, Any],
    context: LambdaContext,
    parse: Callable[[object], ItemT | None],
    handle: Callable[[ItemT], None],
    source: GivesBack,
    retry_seconds: int,
) -> PartialItemFailureResponse:
    """Handles each record by itself and reports those to be delivered again.

    Malformed: logged with its id, counted, acknowledged, for it would never be understood.
    TransientError: given back, to be delivered after retry_seconds. Any other error: logged,
    counted, delivered again by the queue's own rule, and to the dead-letter queue in the end.
    """

    def on_record(record: SQSRecord) -> None:
        try:
            item = parse(_json_body(record))
        except MalformedEventError as error:
            logger.error("malformed record", message_id=record.message_id, reason=str(error))
            count("MalformedRecord")
            return
        if item is None:
            logger.info("test notification", message_id=record.message_id)
            return
        with logger.append_context_keys(**item.log_fields(datetime.now(UTC))):
            try:
                handle(item)
            except TransientError as error:
                logger.info(
                    "to be delivered again",
                    result="Deferred",
                    reason=error.reason,
                    detail=str(error),
                    retry_seconds=retry_seconds,
                )
                count("Deferred")
                _give_back(source, record.receipt_handle, retry_seconds)
                raise
            except Exception:
                logger.exception("record failed", message_id=record.message_id)
                count("RecordFailed")
                raise

    # One instance that is not ready yet is no error of the function.
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, on_record, processor, context)


def _json_body(record: SQSRecord) -> object:
    try:
        body: object = record.json_body
    except (ValueError, RecursionError) as error:
        raise MalformedEventError(f"the body is not JSON: {record.body[:100]!r}") from error
    return body


def _give_back(source: GivesBack, receipt_handle: str, seconds: int) -> None:
    try:
        source.give_back(receipt_handle, seconds)
    except TransientError as error:
        # The queue's own visibility timeout brings it back then: later, but surely.
        logger.warning("not given back early", reason=str(error))
