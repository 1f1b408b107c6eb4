"""Results that come in quick succession are recorded many at a time."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pilotlight.aws.call_errors import AWS_CALL_ERRORS
from pilotlight.jobs.prefetch import Pace
from pilotlight.jobs.records import Attributes, Run
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.gathering import Batch, Gathering

BATCH = 25  # BatchExecuteStatement takes no more (botocore's DynamoDB model)
GATHER_SECONDS = 0.05  # little to one of many jobs; a lone one does not wait for company


class ResultsTable(Protocol):
    def amend(self, ends: Sequence[tuple[Run, Attributes]]) -> Sequence[bool]:
        """Up to BATCH; for each whether it was recorded. Raises one of AWS_CALL_ERRORS."""
        ...


@dataclass
class _Result:
    run: Run
    attributes: Attributes
    recorded: bool = False
    decided: threading.Event = field(default_factory=lambda: threading.Event())


class Results:
    def __init__(self, table: ResultsTable, pace: Pace, log: EventLog) -> None:
        self._table = table
        self._pace = pace
        self._log = log
        self._gathering: Gathering[_Result] = Gathering(BATCH, GATHER_SECONDS)

    def record(self, run: Run, attributes: Attributes) -> bool:
        """True when it was recorded together with others; otherwise it has to be done alone.

        A job with a history is always done alone, see DynamoDbJobsBatch.
        """
        if not self._pace.is_quick or run.past.history_length:
            return False
        result = _Result(run, attributes)
        batch = self._gathering.join(result)
        if batch is None:
            result.decided.wait()
        else:
            self._record_all(batch)
        return result.recorded

    def _record_all(self, batch: Batch[_Result]) -> None:
        results = self._gathering.complete(batch)
        try:
            recorded = self._table.amend([(result.run, result.attributes) for result in results])
            for result, was_recorded in zip(results, recorded, strict=True):
                result.recorded = was_recorded
        except AWS_CALL_ERRORS as error:
            self._log("not_recorded_together", results=len(results), error=str(error))
        finally:
            for result in results:
                result.decided.set()
