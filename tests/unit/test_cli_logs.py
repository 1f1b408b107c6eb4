"""Reading the functions' logs, as CloudWatch Logs hands them out."""

import json
from typing import Any

from botocore.exceptions import ClientError

from cli.cloudlogs import FunctionLogs, LogLine, decisions, parse_message, story

CAPACITY_SET = {
    "message": "capacity set",
    "function_request_id": "r-1",
    "trigger": "watch",
    "desired": 1,
    "capacity": 5,
    "reason": "BACKLOG",
}


def line(at: float, **fields: Any) -> LogLine:
    return LogLine(at, "on-queue-depth", fields)


def started(at: float, message: str) -> LogLine:
    return LogLine(at, "on-queue-depth", parse_message(message) or {})


def test_a_decision_lasts_from_the_start_of_its_invocation_to_its_log_line() -> None:
    as_json = json.dumps({"type": "platform.start", "record": {"requestId": "r-1"}})
    (found,) = decisions([started(10.0, as_json), line(10.4, **CAPACITY_SET)])
    assert (found.at, found.set_at) == (10.0, 10.4)
    assert (found.before, found.capacity, found.reason, found.woken_by) == (
        *(1, 5),
        *("BACKLOG", "watch"),
    )


def test_the_start_of_an_invocation_may_be_logged_as_text() -> None:
    as_text = "START RequestId: r-1 Version: $LATEST\n"
    (found,) = decisions([started(10.0, as_text), line(10.4, **CAPACITY_SET)])
    assert found.at == 10.0


def test_a_look_that_changed_nothing_is_no_decision() -> None:
    assert decisions([line(1.0, **CAPACITY_SET | {"capacity": 1})]) == []


def test_what_is_not_json_is_passed_over() -> None:
    assert parse_message("[ERROR] Runtime exited") is None
    assert parse_message('"only a text"') is None


def test_the_story_of_an_instance_leaves_out_the_others() -> None:
    mine = line(
        0.0, message="lifecycle action", instance_id="i-1", hook="ready", result="Continued"
    )
    other = line(1.0, message="lifecycle action", instance_id="i-2", hook="drain")
    (told,) = story([mine, other], "i-1")
    assert "hook=ready result=Continued" in told


class Logs:
    """filter_log_events over one list of events per group; an absent group is an error."""

    def __init__(self, events: dict[str, list[dict[str, Any]]]) -> None:
        self.events = events

    def client(self, service: str) -> "Logs":
        assert service == "logs"
        return self

    def get_paginator(self, operation: str) -> "Logs":
        assert operation == "filter_log_events"
        return self

    def paginate(self, logGroupName: str, startTime: int) -> Any:  # noqa: N803
        if logGroupName not in self.events:
            error = {"Error": {"Code": "ResourceNotFoundException", "Message": "no such group"}}
            raise ClientError(error, "FilterLogEvents")
        found = [e for e in self.events[logGroupName] if e["timestamp"] >= startTime]
        yield {"events": found}


def event(stream: str, at: float, **fields: Any) -> dict[str, Any]:
    return {"logStreamName": stream, "timestamp": int(at * 1000), "message": json.dumps(fields)}


def test_a_log_line_is_handed_out_once_even_if_it_turns_up_late() -> None:
    group = "/aws/lambda/demo-on-queue-depth"
    cloud = Logs({group: [event("a", 105.0, n=1)]})
    logs = FunctionLogs(cloud, "demo", since=100.0)
    assert [one.fields["n"] for one in logs.read_new()] == [1]
    cloud.events[group] += [event("b", 104.0, n=2)]
    assert [one.fields["n"] for one in logs.read_new()] == [2]
    assert logs.read_new() == []
    assert [one.fields["n"] for one in logs.lines] == [2, 1]


def test_log_groups_that_do_not_exist_yet_are_empty() -> None:
    assert FunctionLogs(Logs({}), "demo", since=0.0).read_new() == []
