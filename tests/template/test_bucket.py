"""The jobs bucket: private, encrypted, over TLS only, and empty again by itself."""

from typing import Any

from template_reader import as_list, if_own_key, of_type, role_statements, statements

LONGEST_RETENTION_DAYS = 14  # of a message, and of a dead letter


def bucket(template: dict[str, Any]) -> dict[str, Any]:
    [properties] = of_type(template, "AWS::S3::Bucket").values()
    return properties


def test_nobody_else_reaches_it(template: dict[str, Any]) -> None:
    assert set(bucket(template)["PublicAccessBlockConfiguration"].values()) == {True}
    [rule] = bucket(template)["OwnershipControls"]["Rules"]
    assert rule["ObjectOwnership"] == "BucketOwnerEnforced"


def test_it_is_encrypted(template: dict[str, Any]) -> None:
    [rule] = bucket(template)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    encryption = rule["ServerSideEncryptionByDefault"]
    assert encryption["SSEAlgorithm"] == if_own_key("aws:kms", "AES256")
    assert encryption["KMSMasterKeyID"] == if_own_key({"Ref": "KmsKeyArn"})


def test_it_refuses_calls_without_tls(template: dict[str, Any]) -> None:
    [policy] = of_type(template, "AWS::S3::BucketPolicy").values()
    [statement] = statements(policy["PolicyDocument"])
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Action"] == "s3:*"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [
        {"Fn::GetAtt": ["JobsBucket", "Arn"]},
        {"Fn::Sub": "${JobsBucket.Arn}/*"},
    ]


def test_everything_in_it_outlives_its_message_and_then_expires(template: dict[str, Any]) -> None:
    [rule] = bucket(template)["LifecycleConfiguration"]["Rules"]
    assert rule["Status"] == "Enabled"
    assert rule["ExpirationInDays"] == LONGEST_RETENTION_DAYS
    assert rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1
    assert not {"Prefix", "TagFilters", "ObjectSizeGreaterThan"} & set(rule)


def test_deleting_the_stack_does_not_fail_on_a_bucket_that_is_not_empty(
    template: dict[str, Any],
) -> None:
    for kind in ("AWS::S3::Bucket", "AWS::S3::BucketPolicy"):
        [logical_id] = of_type(template, kind)
        assert template["Resources"][logical_id]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_an_instance_reaches_payloads_and_checkpoints_alone(template: dict[str, Any]) -> None:
    role = of_type(template, "AWS::IAM::Role")["InstanceRole"]
    allowed = {
        statement["Resource"]["Fn::Sub"]: set(as_list(statement["Action"]))
        for statement in role_statements(role)
        if "s3:" in str(statement["Action"]) and "Fn::Sub" in statement["Resource"]
    }
    assert set(allowed) == {"${JobsBucket.Arn}/payloads/*", "${JobsBucket.Arn}/checkpoints/*"}
    assert "s3:PutObject" not in allowed["${JobsBucket.Arn}/payloads/*"]


def test_an_instance_lists_these_prefixes_alone(template: dict[str, Any]) -> None:
    role = of_type(template, "AWS::IAM::Role")["InstanceRole"]
    [listing] = [it for it in role_statements(role) if it["Action"] == "s3:ListBucket"]
    assert listing["Condition"]["StringLike"]["s3:prefix"] == ["payloads/*", "checkpoints/*"]
