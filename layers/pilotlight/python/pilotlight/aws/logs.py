"""The worker's stream in CloudWatch Logs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pilotlight.aws.call_errors import AWS_CALL_ERRORS
from pilotlight.errors import LogsRefusedError, LogsUnreachableError

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import RejectedLogEventsInfoTypeDef


class CloudWatchLogStream:
    """Makes the stream when the first lines are put; its group is the stack's to make."""

    def __init__(self, client: "CloudWatchLogsClient", group: str, stream: str) -> None:
        self._client = client
        self._group = group
        self._stream = stream
        self._is_there = False

    def put(self, lines: Sequence[tuple[float, str]]) -> int:
        """Put moments (epoch seconds, in order) and texts.

        Returns how many were left out, too old or too new (PutLogEvents, rejectedLogEventsInfo).
        Raises LogsRefusedError when the batch is refused, and LogsUnreachableError when another
        try may help.
        """
        try:
            return self._put(lines)
        except AWS_CALL_ERRORS as error:
            if _code(error) == "InvalidParameterException":
                raise LogsRefusedError(f"{self._group}: {error}") from error
            if _code(error) == "ResourceNotFoundException":
                self._is_there = False
            raise LogsUnreachableError(f"{self._group}: {error}") from error

    def _put(self, lines: Sequence[tuple[float, str]]) -> int:
        self._make_stream()
        answer = self._client.put_log_events(
            logGroupName=self._group,
            logStreamName=self._stream,
            logEvents=[{"timestamp": round(at * 1000), "message": text} for at, text in lines],
        )
        return _rejected(answer.get("rejectedLogEventsInfo", {}), len(lines))

    def _make_stream(self) -> None:
        if self._is_there:
            return
        try:
            self._client.create_log_stream(logGroupName=self._group, logStreamName=self._stream)
        except ClientError as error:
            if _code(error) != "ResourceAlreadyExistsException":
                raise
        self._is_there = True


def _code(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


def _rejected(info: "RejectedLogEventsInfoTypeDef", count: int) -> int:
    """The old ones end before an index, the new ones start at one (RejectedLogEventsInfo)."""
    old = max(info.get("tooOldLogEventEndIndex", 0), info.get("expiredLogEventEndIndex", 0))
    return old + count - info.get("tooNewLogEventStartIndex", count)
