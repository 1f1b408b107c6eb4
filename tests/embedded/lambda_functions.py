"""Functions made of a few lines of code, each with a role of its own."""

from __future__ import annotations

import io
import json
import textwrap
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

from local.cloud import EmbeddedCloud

TRUST_LAMBDA = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
BASIC_EXECUTION = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def function_maker(cloud: EmbeddedCloud) -> Callable[..., str]:
    """What `make_function` is, for any embedded AWS."""

    def make(
        code: str,
        *statements: dict[str, Any],
        environment: dict[str, str] | None = None,
        **settings: Any,
    ) -> str:
        name = f"function-{uuid.uuid4().hex[:8]}"
        iam = cloud.client("iam")
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST_LAMBDA))
        iam.attach_role_policy(RoleName=name, PolicyArn=BASIC_EXECUTION)
        if statements:
            policy = {"Version": "2012-10-17", "Statement": list(statements)}
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as writer:
            writer.writestr("app.py", textwrap.dedent(code))
        functions = cloud.client("lambda")
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role["Role"]["Arn"],
            Handler="app.handler",
            Code={"ZipFile": archive.getvalue()},
            Environment={"Variables": environment or {}},
            **{"Timeout": 20, **settings},
        )
        functions.get_waiter("function_active_v2").wait(FunctionName=name)
        arn: str = functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
        return arn

    return make
