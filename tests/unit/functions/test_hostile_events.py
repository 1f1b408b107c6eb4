"""Functions that are sent what is no event: acknowledged, named in the log, and nothing forged."""

import json

import pytest

HOSTILE = {
    "no JSON": "$(reboot)",
    "a forged line": '\r\n{"message": "lifecycle action", "result": "Abandoned"}\r\n',
    "escape sequences": "\x1b[2J\x1b]0;title\x07",
    "another type": '["detail"]',
    "nested": "[" * 100_000,
    "a number without end": '{"detail": ' + "9" * 5_000 + "}",
    "an instance that is none": json.dumps(
        {"detail": {"EC2InstanceId": "i-1; reboot", "LifecycleHookName": "ready"}}
    ),
    "a path": json.dumps({"detail": {"command-id": "../../..", "instance-id": "../etc/passwd"}}),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("function", ["on_lifecycle_action", "on_command_result"])
def test_it_is_acknowledged_and_told_in_a_line_of_its_own(
    function, body, load_function, context, log_lines
):
    record = {"messageId": "m-1", "receiptHandle": "r", "body": body, "eventSource": "aws:sqs"}
    answer = load_function(function).handler({"Records": [record]}, context)
    assert answer == {"batchItemFailures": []}
    lines = [line for line in log_lines() if "message" in line]
    assert [(line["message"], line["message_id"]) for line in lines] == [
        ("malformed record", "m-1")
    ]
    assert len(lines[0]["reason"]) < 1_000
