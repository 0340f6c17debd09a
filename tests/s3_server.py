"""An S3 for tests: moto's server in a thread of this process."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest

from shared.settings_s3 import S3Settings


@contextmanager
def running_s3(port: int = 0) -> Iterator[str]:
    """Serve an S3 without content and give its address."""
    # Seconds that only those tests should pay that need it.
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer  # noqa: PLC0415

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)  # a line a request
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    host, at_port = server.get_host_and_port()
    try:
        yield f"http://{host}:{at_port}"
    finally:
        server.stop()


def give_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 find what any S3 of tests takes, and nothing of the machine the tests run on."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)


def new_bucket(endpoint_url: str) -> S3Settings:
    """Make a bucket, and settings that mean it."""
    name = f"tests-{secrets.token_hex(4)}"
    settings = S3Settings(bucket=name, region="us-east-1", endpoint_url=endpoint_url)
    client = boto3.client("s3", region_name="us-east-1", endpoint_url=endpoint_url)
    client.create_bucket(Bucket=name)
    return settings
