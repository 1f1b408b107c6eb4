"""Lambda functions as AWS runs them."""

from __future__ import annotations

import io
import json
import textwrap
import zipfile
from collections.abc import Callable

from local.cloud import EmbeddedCloud

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def packed(**files: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for name, text in files.items():
            writer.writestr(name.replace("__", "/") + ".py", textwrap.dedent(text))
    return archive.getvalue()


def test_a_function_runs_under_awslambdaric(
    cloud: EmbeddedCloud, unique: Callable[[str], str]
) -> None:
    name = unique("function")
    role = cloud.client("iam").create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST)
    )["Role"]["Arn"]
    function = """
        import os, sys
        def handler(event, context):
            return [event, context.aws_request_id != "", "awslambdaric" in sys.modules,
                    os.environ["AWS_LAMBDA_FUNCTION_NAME"]]
    """
    cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": packed(app=function)},
    )
    cloud.client("lambda").get_waiter("function_active_v2").wait(FunctionName=name)
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=b'{"a": 1}')
    assert json.load(answer["Payload"]) == [{"a": 1}, True, True, name]
