"""`ragfleet doctor --security` of the bucket and of what runs on ECS, against moto."""

import json
from typing import Any

import boto3
import pytest

from ops.doctor.security.account_checks import check_guardduty, check_trail
from ops.doctor.security.bucket_checks import check_bucket
from shared.settings_s3 import S3Settings
from tests.s3_server import S3Server, refusing


@pytest.fixture
def bucket(s3: S3Settings, endpoint: str) -> tuple[Any, S3Settings]:
    return boto3.client("s3"), s3


def states(settings: S3Settings) -> dict[str, str]:
    found = check_bucket(settings, is_used=True)
    return {one.code.removeprefix("doctor.security_bucket_"): one.status for one in found}


def test_a_bucket_as_it_was_made_is_not_fine(bucket: tuple[Any, S3Settings]) -> None:
    _, settings = bucket
    found = states(settings)
    assert found["public"] == "error"
    assert found["encryption"] in {"error", "warning"}
    assert found["versions"] == found["tls"] == "warning"


def test_a_closed_bucket_is_fine(bucket: tuple[Any, S3Settings]) -> None:
    client, settings = bucket
    name = settings.bucket
    blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    client.put_public_access_block(
        Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(blocks, True)
    )
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    client.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    client.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))

    assert set(states(settings).values()) == {"ok"}


def test_a_bucket_that_may_not_be_asked_about_is_not_checked(
    bucket: tuple[Any, S3Settings], s3_server: S3Server
) -> None:
    _, settings = bucket
    s3_server.fault = refusing("403 Forbidden", "AccessDenied")
    found = check_bucket(settings, is_used=True)
    assert {one.status for one in found} == {"skipped"}
    assert all("AccessDenied" in one.sentence for one in found)


def test_a_trail_has_to_be_written(endpoint: str) -> None:
    client, s3 = boto3.client("cloudtrail"), boto3.client("s3")
    region = {"LocationConstraint": "eu-central-1"}
    s3.create_bucket(Bucket="trail-of-tests", CreateBucketConfiguration=region)
    assert check_trail().status == "error"
    client.create_trail(Name="all", S3BucketName="trail-of-tests")
    assert check_trail().status == "error"  # made, and not started
    client.start_logging(Name="all")
    assert check_trail().status == "warning"
    client.update_trail(Name="all", EnableLogFileValidation=True)
    assert check_trail().status == "ok"
    client.create_trail(Name="a-careless-one", S3BucketName="trail-of-tests")
    client.start_logging(Name="a-careless-one")
    assert check_trail().status == "ok"
    client.delete_trail(Name="a-careless-one")
    client.delete_trail(Name="all")


def test_guardduty_has_to_be_on(endpoint: str) -> None:
    client = boto3.client("guardduty")
    assert check_guardduty().status == "error"
    detector = client.create_detector(Enable=False)["DetectorId"]
    assert check_guardduty().status == "error"
    client.update_detector(DetectorId=detector, Enable=True)
    assert check_guardduty().status == "ok"
    client.delete_detector(DetectorId=detector)
