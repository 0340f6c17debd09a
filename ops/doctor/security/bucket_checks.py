"""The bucket of uploads: closed, encrypted, versioned, and reached by TLS alone."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ops.doctor.report import Finding, Reporter
from ops.doctor.security.asking import Client, answered, ask, not_checked
from ops.doctor.security.subject import Distance, distance_of
from shared.settings_s3 import S3Settings

_PUBLIC = Reporter("doctor.security_bucket_public")
_ENCRYPTION = Reporter("doctor.security_bucket_encryption")
_VERSIONS = Reporter("doctor.security_bucket_versions")
_TLS = Reporter("doctor.security_bucket_tls")
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")

Check = Callable[[Client, str], Finding]


def check_bucket(settings: S3Settings, *, is_used: bool) -> list[Finding]:
    """Make all checks of the bucket.

    Raises:
        SettingsError: its address is none.
        ObjectStoreRefusedError: credentials are named that are not there.
    """
    if not is_used:
        return [not_checked(one, "uploads are not kept in S3") for one in REPORTERS]
    from shared.objects.s3.bucket import open_bucket  # noqa: PLC0415 - wants an extra

    bucket = open_bucket(settings)
    endpoint = urlsplit(settings.endpoint_url)
    found = [
        answered(reporter, lambda check=check: check(bucket.client, bucket.name))  # type: ignore[misc]
        for reporter, check in _CHECKS
    ]
    if endpoint.scheme == "http" and distance_of(endpoint.hostname or "") is Distance.NETWORK:
        found[-1] = _TLS.error(
            "S3_ENDPOINT_URL begins with http://: uploads can be read on the way; use https://."
        )
    return found


def _public(client: Client, name: str) -> Finding:
    answer = ask(
        client.get_public_access_block, "NoSuchPublicAccessBlockConfiguration", Bucket=name
    )
    found: dict[str, Any] = (answer or {}).get("PublicAccessBlockConfiguration", {})
    if missing := [one for one in _BLOCKS if not found.get(one)]:
        return _PUBLIC.error(
            f"The bucket {name} may become public ({', '.join(missing)} not set); run `aws s3api "
            "put-public-access-block` for it."
        )
    return _PUBLIC.ok(f"The bucket {name} can never become public.")


def _encryption(client: Client, name: str) -> Finding:
    absent = "ServerSideEncryptionConfigurationNotFoundError"
    answer = ask(client.get_bucket_encryption, absent, Bucket=name)
    if answer is None:
        return _ENCRYPTION.error(f"The bucket {name} is not encrypted; give it a key of KMS.")
    (rule, *_) = answer["ServerSideEncryptionConfiguration"]["Rules"]
    kind = rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
    if kind == "AES256":
        return _ENCRYPTION.warning(
            f"The bucket {name} is encrypted with S3's own key: whoever may read objects may read "
            "them; a key of KMS says for itself who may use it."
        )
    return _ENCRYPTION.ok(f"The bucket {name} is encrypted ({kind}).")


def _versions(client: Client, name: str) -> Finding:
    answer = ask(client.get_bucket_versioning, Bucket=name)
    if answer.get("Status") != "Enabled":
        return _VERSIONS.warning(
            f"The bucket {name} keeps no versions: what is deleted or overwritten is gone; turn "
            "versioning on."
        )
    return _VERSIONS.ok(f"The bucket {name} keeps versions.")


def _tls(client: Client, name: str) -> Finding:
    answer = ask(client.get_bucket_policy, "NoSuchBucketPolicy", Bucket=name)
    policy = json.loads(answer["Policy"]) if answer else {}
    statements = policy.get("Statement", [])
    if not any(map(_denies_plain, statements if isinstance(statements, list) else [statements])):
        return _TLS.warning(
            f"The bucket {name} would answer without TLS; deny it in its policy where "
            "aws:SecureTransport is false."
        )
    return _TLS.ok(f"The bucket {name} answers by TLS alone.")


def _denies_plain(statement: dict[str, Any]) -> bool:
    asked = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
    value = asked[0] if isinstance(asked, list) and asked else asked
    return (
        statement.get("Effect") == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and statement.get("Action") in ("s3:*", "*", ["s3:*"], ["*"])
        and str(value).lower() == "false"
    )


_CHECKS: tuple[tuple[Reporter, Check], ...] = (
    (_PUBLIC, _public),
    (_ENCRYPTION, _encryption),
    (_VERSIONS, _versions),
    (_TLS, _tls),
)
REPORTERS = tuple(reporter for reporter, _ in _CHECKS)
