"""The worker's stream in CloudWatch Logs."""

import time

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from moto import mock_aws

from pilotlight.aws.logs import CloudWatchLogStream
from pilotlight.errors import LogsRefusedError, LogsUnreachableError

GROUP, STREAM = "/pilotlight/demo/workers", "i-1/20261114T221320Z"
NAMES = {"logGroupName": GROUP, "logStreamName": STREAM}
LINES = [(1.5, "first"), (1.75, "second")]
EVENTS = [{"timestamp": 1500, "message": "first"}, {"timestamp": 1750, "message": "second"}]


@pytest.fixture
def stubbed():
    client = boto3.client(
        "logs", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    with Stubber(client) as stub:
        yield CloudWatchLogStream(client, GROUP, STREAM), stub
        stub.assert_no_pending_responses()


def test_lines_can_be_read_back_by_their_stream(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("logs", "us-east-1")
        client.create_log_group(logGroupName=GROUP)
        stream = CloudWatchLogStream(client, GROUP, STREAM)
        now = time.time()
        assert stream.put([(now, "first")]) == 0
        assert stream.put([(now + 1, "second")]) == 0
        found = client.get_log_events(**NAMES, startFromHead=True)["events"]
    assert [event["message"] for event in found] == ["first", "second"]


def test_the_stream_is_made_once(stubbed):
    stream, stub = stubbed
    stub.add_response("create_log_stream", {}, NAMES)
    for _ in range(2):
        stub.add_response("put_log_events", {}, {**NAMES, "logEvents": EVENTS})
    stream.put(LINES)
    stream.put(LINES)


def test_a_stream_that_is_there_already_is_used(stubbed):
    stream, stub = stubbed
    stub.add_client_error("create_log_stream", "ResourceAlreadyExistsException")
    stub.add_response("put_log_events", {}, {**NAMES, "logEvents": EVENTS})
    assert stream.put(LINES) == 0


def test_a_stream_that_somebody_deleted_is_made_again(stubbed):
    stream, stub = stubbed
    for _ in range(2):
        stub.add_response("create_log_stream", {}, NAMES)
        stub.add_client_error("put_log_events", "ResourceNotFoundException")
    for _ in range(2):
        with pytest.raises(LogsUnreachableError, match=GROUP):
            stream.put(LINES)


@pytest.mark.parametrize(
    ("rejected", "lost"),
    [
        ({"tooNewLogEventStartIndex": 1}, 1),
        ({"tooOldLogEventEndIndex": 1}, 1),
        ({"expiredLogEventEndIndex": 2}, 2),
    ],
)
def test_lines_that_are_too_old_or_too_new_are_counted(stubbed, rejected, lost):
    stream, stub = stubbed
    stub.add_response("create_log_stream", {}, NAMES)
    stub.add_response("put_log_events", {"rejectedLogEventsInfo": rejected})
    assert stream.put(LINES) == lost


@pytest.mark.parametrize("code", ["ThrottlingException", "ServiceUnavailableException"])
def test_being_throttled_is_worth_another_try(stubbed, code):
    stream, stub = stubbed
    stub.add_response("create_log_stream", {}, NAMES)
    stub.add_client_error("put_log_events", code)
    with pytest.raises(LogsUnreachableError, match=code):
        stream.put(LINES)


def test_a_batch_that_is_refused_is_not_worth_another_try(stubbed):
    stream, stub = stubbed
    stub.add_response("create_log_stream", {}, NAMES)
    stub.add_client_error("put_log_events", "InvalidParameterException")
    with pytest.raises(LogsRefusedError, match=GROUP):
        stream.put(LINES)


def test_an_endpoint_that_is_away_is_worth_another_try():
    class Away:
        def create_log_stream(self, **_):
            raise EndpointConnectionError(endpoint_url="http://logs")

    with pytest.raises(LogsUnreachableError, match="http://logs"):
        CloudWatchLogStream(Away(), GROUP, STREAM).put(LINES)
