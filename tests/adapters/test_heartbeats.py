"""The heartbeats table as moto keeps it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from pilotlight.aws.heartbeats import DynamoDbHeartbeats
from pilotlight.errors import TransientError
from pilotlight.fleet.heartbeat import Heartbeat

NOW = datetime(2026, 9, 27, 12, 0, 0, 250_000, tzinfo=UTC)
HEARTBEAT = Heartbeat(since=NOW - timedelta(hours=3), due_at=NOW)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName="heartbeats",
            KeySchema=[{"AttributeName": "sender", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "sender", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


def test_of_each_sender_the_latest_is_kept_and_whoever_sent_none_is_missing(client: Any) -> None:
    heartbeats = DynamoDbHeartbeats(client, "heartbeats")
    senders = [f"i-{number:017x}" for number in range(101)]
    for sender in senders:
        heartbeats.send(sender, Heartbeat(NOW, NOW))
        heartbeats.send(sender, HEARTBEAT)

    told = heartbeats.of([*senders, "i-who-never-sent-any"])

    assert told == dict.fromkeys(senders, HEARTBEAT)


def test_a_row_expires_once_its_sender_is_long_gone(client: Any) -> None:
    DynamoDbHeartbeats(client, "heartbeats").send("i-1", HEARTBEAT)

    row = client.get_item(TableName="heartbeats", Key={"sender": {"S": "i-1"}})["Item"]
    assert int(row["expires_at"]["N"]) - NOW.timestamp() > timedelta(days=13).total_seconds()


def test_what_dynamodb_left_unread_is_not_taken_for_silence(client: Any) -> None:
    left = {"heartbeats": {"Keys": [{"sender": {"S": "i-2"}}]}}
    with Stubber(client) as stub:
        stub.add_response(
            "batch_get_item", {"Responses": {"heartbeats": []}, "UnprocessedKeys": left}
        )
        with pytest.raises(TransientError, match="only some"):
            DynamoDbHeartbeats(client, "heartbeats").of(["i-1", "i-2"])
