"""Queues: encrypted, over TLS only, nothing dropped in silence."""

from typing import Any

from template_reader import if_own_key, named_resources, of_type, statements

# A lost tick of the watch is worth nothing: reconcile sends new ones each minute.
WITHOUT_DEAD_LETTER_QUEUE = {"WatchQueue"}
DEAD_ENDS = {
    "JobsDeadLetterQueue",
    "LifecycleDeadLetterQueue",
    "CommandResultDeadLetterQueue",
    "FailedEventsQueue",
}
LONGEST_RETENTION_SECONDS = 1_209_600


def queues(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return of_type(template, "AWS::SQS::Queue")


def test_every_queue_is_encrypted_with_the_own_key_or_by_sqs(template: dict[str, Any]) -> None:
    for name, queue in queues(template).items():
        assert queue["KmsMasterKeyId"] == if_own_key({"Ref": "KmsKeyArn"}), name
        # SQS takes one of both.
        assert queue["SqsManagedSseEnabled"] == if_own_key(None, True), name


def test_every_queue_refuses_calls_without_tls(template: dict[str, Any]) -> None:
    refusing: set[str] = set()
    for policy in of_type(template, "AWS::SQS::QueuePolicy").values():
        for statement in statements(policy["PolicyDocument"]):
            condition = statement.get("Condition", {}).get("Bool", {})
            if statement["Effect"] == "Deny" and condition.get("aws:SecureTransport") == "false":
                assert statement["Action"] == "sqs:*"
                assert statement["Principal"] == "*"
                refusing |= named_resources(policy["Queues"])
    assert set(queues(template)) <= refusing


def test_a_queue_takes_events_from_its_rule_alone(template: dict[str, Any]) -> None:
    for policy in of_type(template, "AWS::SQS::QueuePolicy").values():
        for statement in statements(policy["PolicyDocument"]):
            if statement["Effect"] == "Allow":
                assert statement["Principal"] == {"Service": "events.amazonaws.com"}
                assert statement["Action"] == "sqs:SendMessage"
                source = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
                rule = of_type(template, "AWS::Events::Rule")[source["Fn::GetAtt"][0]]
                targets = named_resources(rule["Targets"])
                assert targets == named_resources(policy["Queues"])


def test_every_queue_has_a_dead_letter_queue_that_keeps_longer(template: dict[str, Any]) -> None:
    for name, queue in queues(template).items():
        if name == "FailedEventsQueue":  # nothing is to be sent again
            continue
        if name in DEAD_ENDS:
            assert queue["MessageRetentionPeriod"] == LONGEST_RETENTION_SECONDS, name
        elif name not in WITHOUT_DEAD_LETTER_QUEUE:
            [dead_letter_queue] = named_resources(queue["RedrivePolicy"]["deadLetterTargetArn"])
            assert dead_letter_queue in DEAD_ENDS, name
            assert queue["MessageRetentionPeriod"] < LONGEST_RETENTION_SECONDS, name


def test_an_alarm_watches_every_dead_end(template: dict[str, Any]) -> None:
    watched: set[str] = set()
    for alarm in of_type(template, "AWS::CloudWatch::Alarm").values():
        assert "NumberOfMessagesSent" not in str(alarm)  # does not count redriven messages
        if {"Ref": "AlertTopic"} in alarm["AlarmActions"]:
            watched |= named_resources(alarm)
    assert watched >= DEAD_ENDS


def test_a_message_stays_hidden_for_six_times_its_function_may_run(
    template: dict[str, Any],
) -> None:
    shared_timeout = template["Globals"]["Function"]["Timeout"]
    for name, function in of_type(template, "AWS::Serverless::Function").items():
        for event in function["Events"].values():
            if event["Type"] == "SQS":
                [queue] = named_resources(event["Properties"]["Queue"])
                visibility = queues(template)[queue]["VisibilityTimeout"]
                assert visibility >= 6 * function.get("Timeout", shared_timeout), name


def test_the_depth_alarm_counts_jobs_that_run_too(template: dict[str, Any]) -> None:
    alarm = of_type(template, "AWS::CloudWatch::Alarm")["QueueDepthAlarm"]
    metrics = {metric["Id"]: metric for metric in alarm["Metrics"]}
    assert metrics["backlog"]["Expression"] == "visible + in_flight"
    names = {
        key: metrics[key]["MetricStat"]["Metric"]["MetricName"]
        for key in metrics
        if "MetricStat" in metrics[key]
    }
    assert names == {
        "visible": "ApproximateNumberOfMessagesVisible",
        "in_flight": "ApproximateNumberOfMessagesNotVisible",
    }
    permission = of_type(template, "AWS::Lambda::Permission")["QueueDepthAlarmPermission"]
    assert permission["Principal"] == "lambda.alarms.cloudwatch.amazonaws.com"
    assert permission["SourceArn"] == {"Fn::GetAtt": ["QueueDepthAlarm", "Arn"]}
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
