"""Callers cut off from the embedded AWS, and functions that die between call and answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from local.cloud import EmbeddedCloud

UNHURRIED_SECONDS = 0.5


@pytest.fixture
def session(
    cloud: EmbeddedCloud, unique: Callable[[str], str]
) -> Callable[[str], Mapping[str, str]]:
    """`session(name)`: credentials of a role that may do anything to queues, by that name."""

    def session(name: str) -> Mapping[str, str]:
        iam, role = cloud.client("iam"), unique("role")
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        arn = iam.create_role(
            RoleName=role,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust}),
        )["Role"]["Arn"]
        allowed = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": allowed})
        iam.put_role_policy(RoleName=role, PolicyName="sqs", PolicyDocument=policy)
        assumed = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName=name)
        found: Mapping[str, str] = assumed["Credentials"]
        return found

    return session


def test_who_is_cut_off_waits_while_others_are_served(
    cloud: EmbeddedCloud,
    session: Callable[[str], Mapping[str, str]],
    unique: Callable[[str], str],
) -> None:
    name = unique("queue")
    cloud.client("sqs").create_queue(QueueName=name)
    caller = unique("i")
    cut_off = cloud.client("sqs", session(caller))
    answers: list[str] = []
    asking = threading.Thread(
        target=lambda: answers.append(cut_off.get_queue_url(QueueName=name)["QueueUrl"])
    )
    cloud.control("network", caller=caller, cut=True)
    try:
        asking.start()
        asking.join(UNHURRIED_SECONDS)
        other = cloud.client("sqs", session(unique("i"))).get_queue_url(QueueName=name)
        assert answers == []
    finally:
        cloud.control("network", caller=caller, cut=False)
    asking.join()
    assert answers == [other["QueueUrl"]]


CREATES_AND_RETURNS = """
import boto3

def handler(event, context):
    boto3.client("sqs").create_queue(QueueName=event["queue"])
    return "returned"
"""


def test_a_function_dies_when_its_call_is_carried_out_and_before_it_is_answered(
    cloud: EmbeddedCloud, make_function: Callable[..., str], unique: Callable[[str], str]
) -> None:
    statement = {"Effect": "Allow", "Action": "sqs:CreateQueue", "Resource": "*"}
    function_name = make_function(CREATES_AND_RETURNS, statement).rpartition(":")[2]
    cloud.control("kill-function", function_name=function_name, at_call=1)
    queues = [unique("queue"), unique("queue")]
    answers = [invoked(cloud, function_name, queue) for queue in queues]
    assert answers[0]["errorType"] == "Runtime.ExitError"
    assert "signal: killed" in answers[0]["errorMessage"]
    assert answers[1] == "returned"
    for queue in queues:
        assert cloud.client("sqs").get_queue_url(QueueName=queue)


def invoked(cloud: EmbeddedCloud, function_name: str, queue: str) -> Any:
    answer = cloud.client("lambda").invoke(
        FunctionName=function_name, Payload=json.dumps({"queue": queue})
    )
    return json.loads(answer["Payload"].read())


def test_what_the_network_is_told_must_make_sense(cloud: EmbeddedCloud) -> None:
    with pytest.raises(ValueError, match="missing or unknown: 'caller'"):
        cloud.control("network", cut=True)
