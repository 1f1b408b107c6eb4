"""Alarms and metrics through the endpoint: a CloudWatch minute lasts a second here."""

from __future__ import annotations

import io
import json
import time
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.embedded.patience import until

LAMBDA_PRINCIPAL = "lambda.alarms.cloudwatch.amazonaws.com"

TELL_QUEUE = """
import boto3, json, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["TOLD"], MessageBody=json.dumps(event))
"""


@pytest.fixture
def cloudwatch(client):
    return client("cloudwatch")


@pytest.fixture
def queue(client, unique):
    """Makes a queue: url, name, ARN."""
    sqs = client("sqs")

    def make(prefix: str, **attributes: str) -> tuple[str, str, str]:
        name = unique(prefix)
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, name, arn["Attributes"]["QueueArn"]

    return make


def metric(query_id: str, name: str, queue_name: str, returned: bool = False) -> dict[str, Any]:
    dimensions = [{"Name": "QueueName", "Value": queue_name}]
    stat = {"Namespace": "AWS/SQS", "MetricName": name, "Dimensions": dimensions}
    query = {"Metric": stat, "Period": 60, "Stat": "Maximum"}
    return {"Id": query_id, "MetricStat": query, "ReturnData": returned}


def backlog_alarm(name: str, queue_name: str, **more: Any) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "EvaluationPeriods": 1,
        "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "Metrics": [
            {"Id": "backlog", "Expression": "visible + in_flight", "ReturnData": True},
            metric("visible", "ApproximateNumberOfMessagesVisible", queue_name),
            metric("in_flight", "ApproximateNumberOfMessagesNotVisible", queue_name),
        ],
    } | more


def received(sqs: Any, url: str) -> Any:
    messages = until(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    return json.loads(messages[0]["Body"]) if messages else None


def state_of(cloudwatch: Any, name: str) -> str:
    return str(cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])


def history(cloudwatch: Any, name: str, kind: str) -> list[str]:
    items = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType=kind)
    return [item["HistorySummary"] for item in items["AlarmHistoryItems"]]


def make_function(client: Any, name: str, told_url: str) -> str:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", TELL_QUEUE)
    iam = client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    allow = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName=name, PolicyName="tell", PolicyDocument=policy)
    function = client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="app.handler",
        Role=role["Arn"],
        Code={"ZipFile": code.getvalue()},
        Timeout=30,
        Environment={"Variables": {"TOLD": told_url}},
    )
    return str(function["FunctionArn"])


def test_jobs_in_a_queue_raise_the_alarm_and_call_the_function_once(
    client, cloudwatch, queue, unique
):
    sqs = client("sqs")
    jobs_url, jobs_name, _ = queue("jobs")
    told_url, _, _ = queue("told")
    name = unique("backlog")
    function_arn = make_function(client, name, told_url)
    cloudwatch.put_metric_alarm(**backlog_alarm(name, jobs_name, AlarmActions=[function_arn]))
    alarm_arn = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["AlarmArn"]
    client("lambda").add_permission(
        FunctionName=name,
        StatementId="alarm",
        Action="lambda:InvokeFunction",
        Principal=LAMBDA_PRINCIPAL,
        SourceArn=alarm_arn,
    )
    assert until(lambda: state_of(cloudwatch, name) == "OK")

    sqs.send_message(QueueUrl=jobs_url, MessageBody="job")
    event = received(sqs, told_url)

    assert event["source"] == "aws.cloudwatch"
    assert event["alarmArn"] == alarm_arn
    data = event["alarmData"]
    assert (data["state"]["value"], data["previousState"]["value"]) == ("ALARM", "OK")
    assert json.loads(data["state"]["reasonData"])["recentDatapoints"] == [1.0]
    queries = {q["id"]: q for q in data["configuration"]["metrics"]}
    assert queries["backlog"]["expression"] == "visible + in_flight"
    dimensions = queries["visible"]["metricStat"]["metric"]["dimensions"]
    assert dimensions == {"QueueName": jobs_name}

    time.sleep(3)  # three CloudWatch minutes in ALARM: a function is not called again
    assert "Messages" not in sqs.receive_message(QueueUrl=told_url)
    assert f"Successfully executed action {function_arn}" in history(cloudwatch, name, "Action")
    sqs.purge_queue(QueueUrl=jobs_url)
    assert until(lambda: state_of(cloudwatch, name) == "OK")


def test_an_alarm_without_permission_does_not_reach_the_function(client, cloudwatch, queue, unique):
    jobs_url, jobs_name, _ = queue("jobs")
    told_url, _, _ = queue("told")
    name = unique("forbidden")
    function_arn = make_function(client, name, told_url)
    client("sqs").send_message(QueueUrl=jobs_url, MessageBody="job")
    cloudwatch.put_metric_alarm(**backlog_alarm(name, jobs_name, AlarmActions=[function_arn]))
    failed = until(lambda: history(cloudwatch, name, "Action"))
    assert failed[0].startswith(f"Failed to execute action {function_arn}")
    assert LAMBDA_PRINCIPAL in failed[0]
    assert state_of(cloudwatch, name) == "ALARM"


def test_a_change_of_state_is_an_event_on_the_bus(client, cloudwatch, queue, unique):
    sqs, events = client("sqs"), client("events")
    told_url, _, told_arn = queue("told")
    name = unique("event")
    pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": [name]}}
    rule_arn = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": told_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=told_url, Attributes={"Policy": policy})
    events.put_targets(Rule=name, Targets=[{"Id": "told", "Arn": told_arn}])
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=unique("app"),
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmDescription="failures",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="by hand")
    event = received(sqs, told_url)
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["resources"][0].endswith(f":alarm:{name}")
    detail = event["detail"]
    assert detail["state"] | {"timestamp": ""} == {
        "value": "ALARM",
        "reason": "by hand",
        "timestamp": "",
    }
    assert detail["previousState"]["reason"] == "Unchecked: Initial alarm creation"
    assert detail["configuration"]["description"] == "failures"


def test_an_alarm_looks_at_its_own_dimensions_alone(cloudwatch, unique):
    namespace, name = unique("app"), unique("alarm")

    def put(server: str, value: float) -> None:
        dimensions = [{"Name": "Server", "Value": server}]
        datum = {"MetricName": "Load", "Dimensions": dimensions, "Value": value}
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])

    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=namespace,
        MetricName="Load",
        Dimensions=[{"Name": "Server", "Value": "mine"}],
        ExtendedStatistic="p90",
        Period=60,
        EvaluationPeriods=3,
        DatapointsToAlarm=2,
        Threshold=10,
        ComparisonOperator="GreaterThanThreshold",
    )

    def feed() -> str:
        put("other", 99.0)
        put("mine", 1.0)
        return state_of(cloudwatch, name)

    assert until(lambda: feed() == "OK")
    assert until(lambda: put("mine", 50.0) or state_of(cloudwatch, name) == "ALARM")


def test_queue_metrics_and_math_are_readable(client, cloudwatch, queue):
    url, name, _ = queue("jobs")
    sqs = client("sqs")
    for number in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    sqs.receive_message(QueueUrl=url)
    queries = [
        metric("visible", "ApproximateNumberOfMessagesVisible", name),
        metric("in_flight", "ApproximateNumberOfMessagesNotVisible", name),
        {"Id": "backlog", "Expression": "visible + in_flight"},
    ]

    def latest() -> list[float]:
        now = datetime.now(UTC)
        window = {"StartTime": now - timedelta(seconds=30), "EndTime": now}
        found = cloudwatch.get_metric_data(MetricDataQueries=queries, **window)
        (result,) = found["MetricDataResults"]
        return result["Values"][:1]

    assert until(lambda: latest() == [3.0])
    now = datetime.now(UTC)
    sent = cloudwatch.get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="NumberOfMessagesSent",
        Dimensions=[{"Name": "QueueName", "Value": name}],
        StartTime=now - timedelta(minutes=5),
        EndTime=now,
        Period=300 * 60,
        Statistics=["Sum"],
    )
    assert sum(point["Sum"] for point in sent["Datapoints"]) == 3


def test_a_log_line_in_embedded_metric_format_is_a_metric(client, cloudwatch, unique):
    logs, namespace = client("logs"), unique("Pilotlight")
    group = unique("/aws/lambda/scaler")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    now = int(time.time() * 1000)
    metadata = {"Namespace": namespace, "Dimensions": [["service"]], "Metrics": [{"Name": "Woken"}]}
    line = {"_aws": {"Timestamp": now, "CloudWatchMetrics": [metadata]}, "service": "s", "Woken": 4}
    logs.put_log_events(
        logGroupName=group,
        logStreamName="one",
        logEvents=[{"timestamp": now, "message": json.dumps(line)}],
    )
    (found,) = cloudwatch.list_metrics(Namespace=namespace)["Metrics"]
    assert found["MetricName"] == "Woken"
    assert found["Dimensions"] == [{"Name": "service", "Value": "s"}]


def test_a_stack_makes_an_alarm_on_metric_math(client, cloudwatch, queue, unique):
    _, jobs_name, _ = queue("jobs")
    stack, name = unique("stack"), unique("alarm")
    properties = backlog_alarm(name, jobs_name, Threshold="2", EvaluationPeriods="1")
    template = {
        "Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Alarm", "Arn"]}}},
    }
    cloudformation = client("cloudformation")
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1}
    )
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (2.0, 1)
    assert alarm["Metrics"][0]["Expression"] == "visible + in_flight"
    assert "Statistic" not in alarm


def test_a_scaling_policy_is_executed_again_each_minute_that_the_alarm_lasts(
    client, cloudwatch, queue, unique
):
    jobs_url, jobs_name, _ = queue("jobs")
    client("sqs").send_message(QueueUrl=jobs_url, MessageBody="job")
    autoscaling, name = client("autoscaling"), unique("workers")
    client("ec2").create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={"ImageId": "ami-0c02fb55956c7d316", "InstanceType": "t3.micro"},
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=0,
        MaxSize=3,
        AvailabilityZones=["us-east-1a"],
        LaunchTemplate={"LaunchTemplateName": name},
    )
    autoscaling.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=["Launch"])
    policy = autoscaling.put_scaling_policy(
        AutoScalingGroupName=name,
        PolicyName="one-more",
        AdjustmentType="ChangeInCapacity",
        ScalingAdjustment=1,
        Cooldown=0,
    )
    alarm = backlog_alarm(name, jobs_name, AlarmActions=[policy["PolicyARN"]])
    cloudwatch.put_metric_alarm(**alarm)

    def desired() -> int:
        groups = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        return int(groups["AutoScalingGroups"][0]["DesiredCapacity"])

    assert until(lambda: desired() == 3)
    cloudwatch.delete_alarms(AlarmNames=[name])
    autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
