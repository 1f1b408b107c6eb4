"""Run by the Lambda runtime's own interpreter: one cold start, or a warm handler.

    floor autoscaling sqs                  `import boto3` and these clients: nothing else
    init on_queue_depth                    a function's module
    handle on_queue_depth on_queue_depth   its handler on that recorded event; AWS answers at once

The last line is seconds as JSON. A cold start is processor time since the process began, the
interpreter and Lambda's runtime included, as in its Init Duration; what else this computer does
does not count.
"""

import importlib
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import awslambdaric.bootstrap  # noqa: F401  what Lambda itself loads first

EVENTS = Path(__file__).parents[1] / "events"
TIMES = 300
MEMBERS = 200
PASSED = {"ready": True, "checks": [], "proof": {}}


def floor(services: list[str]) -> None:
    import boto3
    from botocore.config import Config

    config = Config(retries={"mode": "adaptive", "total_max_attempts": 4})
    for service in services:
        boto3.client(service, config=config)  # type: ignore[call-overload]


def handle(function: str, event_name: str) -> list[float]:
    """Seconds of each warm invocation."""
    from botocore.client import BaseClient

    handler = importlib.import_module(f"{function}.app").handler
    event = json.loads((EVENTS / f"{event_name}.json").read_text(encoding="utf-8"))
    every_client: Any = BaseClient
    every_client._make_api_call = answer
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        handler(event, CONTEXT)
        taken.append(time.perf_counter() - begun)
    return taken[1:]  # the first one fills caches


def answer(_client: Any, operation: str, _request: dict[str, Any]) -> dict[str, Any]:
    return ANSWERS.get(operation, {})


CONTEXT = SimpleNamespace(
    function_name="function",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:function",
    aws_request_id="52fdfc07-2182-154f-163f-5f0f9a621d72",
)
GROUP = {
    "MinSize": 0,
    "MaxSize": 1000,
    "DesiredCapacity": MEMBERS,
    "WarmPoolSize": 0,
    "Instances": [
        {
            "InstanceId": f"i-{number:017x}",
            "LifecycleState": "InService",
            "HealthStatus": "Healthy",
            "ProtectedFromScaleIn": True,
        }
        for number in range(MEMBERS)
    ],
}
ANSWERS: dict[str, dict[str, Any]] = {
    "GetQueueAttributes": {
        "Attributes": {
            "ApproximateNumberOfMessages": "9",
            "ApproximateNumberOfMessagesNotVisible": str(MEMBERS),
            "ApproximateNumberOfMessagesDelayed": "0",
        }
    },
    "BatchGetItem": {"Responses": {}, "UnprocessedKeys": {}},
    "DescribeAutoScalingGroups": {"AutoScalingGroups": [GROUP]},
    "DescribeAutoScalingInstances": {"AutoScalingInstances": []},
    "DescribeScalingActivities": {"Activities": []},
    "DescribeWarmPool": {"Instances": [], "WarmPoolConfiguration": {}},
    "DescribeInstanceInformation": {"InstanceInformationList": []},
    "GetMetricData": {"MetricDataResults": []},
    "GetCommandInvocation": {
        "Status": "Success",
        "Comment": "ready 36b210eb-0e5d-4ddf-b153-acd86a82e850 WarmPool",
        "StandardOutputContent": json.dumps(PASSED),
    },
    "ListCommandInvocations": {"CommandInvocations": []},
    "SendCommand": {"Command": {"CommandId": "e8d3c0e4-71f7-4491-898f-c9b35bee5f3b"}},
}


def main() -> None:
    what, *named = sys.argv[1:]
    if what == "floor":
        floor(named)
    elif what == "init":
        importlib.import_module(f"{named[0]}.app")
    else:
        print(json.dumps(handle(*named)))  # noqa: T201
        return
    print(json.dumps(time.process_time()))  # noqa: T201


if __name__ == "__main__":
    main()
