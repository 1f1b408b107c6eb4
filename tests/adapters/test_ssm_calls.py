"""The Run Command adapter against botocore's own model of the calls."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from pilotlight.aws.calls import CLIENT_CONFIG
from pilotlight.aws.ssm import RunCommand
from pilotlight.errors import InvocationNotFoundError, NotRegisteredError, TransientError
from pilotlight.fleet.command_result import Invocation
from pilotlight.fleet.commands import Command
from pilotlight.fleet.wait_decisions import SentCommand

INSTANCE = "i-065912b0a0b011650"
ID = "e8d3c0e4-71f7-4491-898f-c9b35bee5f3b"
THEN = datetime(2026, 9, 27, 12, tzinfo=UTC)
OTHER = "i-065912b0a0b011651"
COMMAND = Command(
    "readiness", (INSTANCE, OTHER), "ready token WarmPool", {"timeoutSeconds": ["900"]}
)


@pytest.fixture
def stub() -> Iterator[Stubber]:
    client: Any = boto3.client(
        "ssm",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=CLIENT_CONFIG,
    )
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def test_a_command_is_sent_with_its_comment_and_given_up_undelivered_after_a_while(
    stub: Stubber,
) -> None:
    expected = {
        "DocumentName": "readiness",
        "InstanceIds": [INSTANCE, OTHER],
        "Comment": "ready token WarmPool",
        "Parameters": {"timeoutSeconds": ["900"]},
        "TimeoutSeconds": 120,
        "MaxErrors": "100%",
    }
    stub.add_response("send_command", {"Command": {"CommandId": ID}}, expected)

    assert RunCommand(stub.client).send(COMMAND) == ID


@pytest.mark.parametrize(
    ("code", "expected"),
    [("InvalidInstanceId", NotRegisteredError), ("ThrottlingException", TransientError)],
)
def test_an_instance_that_cannot_take_commands_is_named(
    stub: Stubber, code: str, expected: type[Exception]
) -> None:
    stub.add_client_error("send_command", code, http_status_code=400)

    with pytest.raises(expected):
        RunCommand(stub.client).send(COMMAND)


def test_an_invocation_is_read_with_its_comment_and_output(stub: Stubber) -> None:
    answer = {
        "Status": "TimedOut",
        "StatusDetails": "Execution Timed Out",
        "Comment": "ready token WarmPool",
        "StandardOutputContent": "out",
        "StandardErrorContent": "err",
        "ExecutionEndDateTime": "2026-09-27T12:00:00.000Z",
    }
    stub.add_response("get_command_invocation", answer, {"CommandId": ID, "InstanceId": INSTANCE})

    assert RunCommand(stub.client).invocation(ID, INSTANCE) == Invocation(
        "TimedOut", "ExecutionTimedOut", "ready token WarmPool", "out", "err", THEN
    )


def test_an_invocation_that_is_not_there_yet_is_named(stub: Stubber) -> None:
    stub.add_client_error("get_command_invocation", "InvocationDoesNotExist", http_status_code=400)

    with pytest.raises(InvocationNotFoundError):
        RunCommand(stub.client).invocation(ID, INSTANCE)


def test_the_commands_of_an_instance_are_listed(stub: Stubber) -> None:
    sent = {
        "CommandId": ID,
        "InstanceId": INSTANCE,
        "DocumentName": "readiness",
        "Status": "InProgress",
        "RequestedDateTime": THEN,
    }
    stub.add_response(
        "list_command_invocations",
        {"CommandInvocations": [sent]},
        {"InstanceId": INSTANCE, "MaxResults": 50},
    )

    assert RunCommand(stub.client).sent_to(INSTANCE) == [
        SentCommand(ID, "readiness", "InProgress", THEN)
    ]
