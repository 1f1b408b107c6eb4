"""Lambda functions run as AWS runs them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local.cloud import EmbeddedCloud

MakeFunction = Callable[..., str]


def call(cloud: EmbeddedCloud, function: str, event: Any = None) -> Any:
    answer = cloud.client("lambda").invoke(
        FunctionName=function, Payload=json.dumps(event or {}).encode()
    )
    return json.load(answer["Payload"])


def lines(cloud: EmbeddedCloud, function: str) -> list[str]:
    group = f"/aws/lambda/{function.rpartition(':')[2]}"
    logs = cloud.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        return []
    return [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]


def test_a_function_runs_under_awslambdaric_with_nothing_of_the_host(
    cloud: EmbeddedCloud, make_function: MakeFunction
) -> None:
    function = make_function(
        """
        import os, sys
        def handler(event, context):
            return [event, "awslambdaric" in sys.modules, os.environ.get("HOME"),
                    os.environ["AWS_LAMBDA_FUNCTION_NAME"], os.environ["COLOUR"]]
        """,
        environment={"COLOUR": "green"},
    )
    name = function.rpartition(":")[2]
    assert call(cloud, function, {"a": 1}) == [{"a": 1}, True, None, name, "green"]


def test_a_function_calls_aws_as_its_role(
    cloud: EmbeddedCloud, make_function: MakeFunction
) -> None:
    function = make_function(
        """
        import boto3
        def handler(event, context):
            boto3.client("sqs").list_queues()
            return boto3.client("sts").get_caller_identity()["Arn"]
        """,
        {"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"},
    )
    name = function.rpartition(":")[2]
    assert call(cloud, function) == f"arn:aws:sts::000000000000:assumed-role/{name}/{name}"


def test_a_call_that_the_role_lacks_is_an_error_of_the_function(
    cloud: EmbeddedCloud, make_function: MakeFunction
) -> None:
    function = make_function(
        "import boto3\ndef handler(e, c):\n    boto3.client('sqs').list_queues()\n"
    )
    error = call(cloud, function)
    assert error["errorType"] == "ClientError"
    assert "is not authorized to perform: sqs:listqueues" in error["errorMessage"]


def test_the_log_has_the_lines_of_the_platform_around_those_of_the_function(
    cloud: EmbeddedCloud, make_function: MakeFunction
) -> None:
    function = make_function("def handler(e, c):\n    print('at work')\n")
    call(cloud, function)
    call(cloud, function)
    kinds = [line.split()[0] for line in lines(cloud, function)]
    once = ["START", "at", "END", "REPORT"]
    assert kinds == ["INIT_START", *once, *once]
    reports = [line for line in lines(cloud, function) if line.startswith("REPORT")]
    assert ["Init Duration" in report for report in reports] == [True, False]


def test_every_line_of_the_log_has_an_id_that_it_keeps(
    cloud: EmbeddedCloud, make_function: MakeFunction
) -> None:
    function = make_function("def handler(e, c):\n    print('same')\n    print('same')\n")
    group = f"/aws/lambda/{function.rpartition(':')[2]}"
    logs = cloud.client("logs")
    call(cloud, function)
    first = [it["eventId"] for it in logs.filter_log_events(logGroupName=group)["events"]]
    call(cloud, function)
    then = [it["eventId"] for it in logs.filter_log_events(logGroupName=group)["events"]]
    assert len(set(then)) == len(then) > len(first)
    assert then[: len(first)] == first


def test_with_json_logs_every_line_is_one_object(
    cloud: EmbeddedCloud, make_function: MakeFunction
) -> None:
    function = make_function(
        """
        import logging
        def handler(event, context):
            logging.getLogger().warning("deciding", extra={"capacity": 3})
        """,
        LoggingConfig={"LogFormat": "JSON"},
    )
    call(cloud, function)
    logged = [json.loads(line) for line in lines(cloud, function)]
    assert [one.get("type", one.get("message")) for one in logged] == [
        "platform.initStart",
        "platform.start",
        "deciding",
        "platform.report",
    ]
    assert logged[2]["capacity"] == 3
    assert logged[3]["record"]["status"] == "success"


def test_an_exception_is_answered_and_logged_with_its_type(
    cloud: EmbeddedCloud, make_function: MakeFunction
) -> None:
    function = make_function("def handler(e, c):\n    raise KeyError('group')\n")
    error = call(cloud, function)
    assert error["errorType"] == "KeyError"
    assert error["stackTrace"]
    assert any("[ERROR] KeyError: 'group'" in line for line in lines(cloud, function))


def test_a_module_that_cannot_be_imported_is_named(
    cloud: EmbeddedCloud, make_function: MakeFunction
) -> None:
    error = call(cloud, make_function("import nonesuch\n"))
    assert error["errorType"] == "Runtime.ImportModuleError"
    assert "No module named 'nonesuch'" in error["errorMessage"]


def test_a_function_is_stopped_at_its_timeout(
    cloud: EmbeddedCloud, make_function: MakeFunction
) -> None:
    function = make_function("import time\ndef handler(e, c):\n    time.sleep(60)\n", Timeout=1)
    error = call(cloud, function)
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert any(line.endswith("Status: timeout") for line in lines(cloud, function))


def test_a_function_that_outgrows_its_memory_is_killed(
    cloud: EmbeddedCloud, make_function: MakeFunction
) -> None:
    code = """
        import time
        def handler(event, context):
            hoard = bytearray(400 * 1024 * 1024)
            hoard[::4096] = b"x" * len(hoard[::4096])
            time.sleep(10)
    """
    error = call(cloud, make_function(code, MemorySize=128))
    assert error["errorType"] == "Runtime.OutOfMemory"
    assert error["errorMessage"].endswith("Runtime exited with error: signal: killed")


def test_a_process_that_exits_fails_its_invocation_and_the_next_one_runs(
    cloud: EmbeddedCloud, make_function: MakeFunction
) -> None:
    code = """
        import os
        def handler(event, context):
            if event.get("leave"):
                os._exit(3)
            return "alive"
    """
    function = make_function(code)
    error = call(cloud, function, {"leave": True})
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith("Runtime exited with error: exit status 3")
    assert call(cloud, function) == "alive"


def test_calls_at_the_same_time_get_an_environment_each(
    cloud: EmbeddedCloud, make_function: MakeFunction, tmp_path: Path
) -> None:
    code = """
        import os, pathlib, time
        met = pathlib.Path(os.environ["MET"])
        def handler(event, context):
            (met / str(os.getpid())).touch()
            while len(list(met.iterdir())) < 3:
                time.sleep(0.05)
            return os.getpid()
    """
    function = make_function(code, environment={"MET": str(tmp_path)}, Timeout=60)
    with ThreadPoolExecutor(3) as pool:
        processes = list(pool.map(lambda _: call(cloud, function), range(3)))
    assert len(set(processes)) == 3


def test_a_later_layer_wins_over_an_earlier_one(
    cloud: EmbeddedCloud,
    make_function: MakeFunction,
    publish_layer: Callable[[dict[str, str]], str],
) -> None:
    first = publish_layer({"python/shared.py": "A = 1\n", "python/first.py": "B = 'first'\n"})
    second = publish_layer({"python/shared.py": "A = 2\n"})
    function = make_function(
        "import first, shared\ndef handler(e, c):\n    return [shared.A, first.B]\n",
        Layers=[first, second],
    )
    assert call(cloud, function) == [2, "first"]


def test_only_the_failed_messages_of_a_batch_come_again(
    cloud: EmbeddedCloud, make_function: MakeFunction, unique: Callable[[str], str]
) -> None:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=unique("jobs"), Attributes={"VisibilityTimeout": "30"})
    arn = sqs.get_queue_attributes(QueueUrl=url["QueueUrl"], AttributeNames=["QueueArn"])
    function = make_function(
        """
        import boto3
        def handler(event, context):
            failed = [r for r in event["Records"] if r["body"] == "bad"
                      and r["attributes"]["ApproximateReceiveCount"] == "1"]
            for record in event["Records"]:
                print("job", record["body"], record["attributes"]["ApproximateReceiveCount"])
            for record in failed:
                arn = record["eventSourceARN"].split(":")
                sqs = boto3.client("sqs")
                url = sqs.get_queue_url(QueueName=arn[-1])["QueueUrl"]
                sqs.change_message_visibility(QueueUrl=url, VisibilityTimeout=1,
                                              ReceiptHandle=record["receiptHandle"])
            return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in failed]}
        """,
        {"Effect": "Allow", "Action": "sqs:*", "Resource": arn["Attributes"]["QueueArn"]},
    )
    cloud.client("lambda").create_event_source_mapping(
        FunctionName=function,
        EventSourceArn=arn["Attributes"]["QueueArn"],
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    for body in ("good", "bad"):
        sqs.send_message(QueueUrl=url["QueueUrl"], MessageBody=body)
    deadline = time.monotonic() + 30
    jobs: list[str] = []
    while "job bad 2" not in jobs and time.monotonic() < deadline:
        time.sleep(0.2)
        jobs = [line for line in lines(cloud, function) if line.startswith("job")]
    assert sorted(jobs) == ["job bad 1", "job bad 2", "job good 1"]


def test_a_mapping_needs_a_role_that_may_read_the_queue(
    cloud: EmbeddedCloud, make_function: MakeFunction, unique: Callable[[str], str]
) -> None:
    name = unique("jobs")
    cloud.client("sqs").create_queue(QueueName=name)
    functions = cloud.client("lambda")
    function = make_function("def handler(e, c): ...\n")
    with pytest.raises(
        functions.exceptions.InvalidParameterValueException,
        match="permissions to call ReceiveMessage on SQS",
    ):
        functions.create_event_source_mapping(
            FunctionName=function, EventSourceArn=f"arn:aws:sqs:us-east-1:000000000000:{name}"
        )


def test_a_role_that_does_not_trust_lambda_is_refused(
    cloud: EmbeddedCloud, unique: Callable[[str], str]
) -> None:
    name = unique("function")
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    }
    iam = cloud.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    functions = cloud.client("lambda")
    with pytest.raises(
        functions.exceptions.InvalidParameterValueException, match="cannot be assumed by Lambda"
    ):
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role["Arn"],
            Handler="app.handler",
            Code={"ZipFile": b"x"},
        )
