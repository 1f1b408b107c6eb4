"""How large a message may be: SQS weighs it whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import EmbeddedCloud

MIB = 1_048_576
ATTRIBUTE = {"n": {"DataType": "String", "StringValue": "v"}}
ATTRIBUTE_BYTES = len("n" + "String" + "v")


@pytest.fixture
def send(cloud: EmbeddedCloud, unique: Callable[[str], str]) -> Callable[[int], Any]:
    """`send(body_bytes)`: a message with one attribute into a new queue."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
    return lambda body_bytes: sqs.send_message(
        QueueUrl=url, MessageBody="x" * body_bytes, MessageAttributes=ATTRIBUTE
    )


def test_a_message_may_weigh_a_mebibyte_with_its_attributes(send: Callable[[int], Any]) -> None:
    assert send(MIB - ATTRIBUTE_BYTES)["MessageId"]


def test_a_byte_more_is_refused(send: Callable[[int], Any]) -> None:
    with pytest.raises(ClientError, match="Message must be shorter than 1048576 bytes"):
        send(MIB - ATTRIBUTE_BYTES + 1)
