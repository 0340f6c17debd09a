"""AWS for tests, on this machine: an S3, and whatever else a command line of AWS would find."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from shared.settings_s3 import S3Settings
    from tests.s3_server import S3Server


@pytest.fixture(scope="session")
def s3_server() -> Iterator["S3Server"]:
    # Its libraries take a second that tests without S3 should not pay.
    from tests.s3_server import running_s3  # noqa: PLC0415

    with running_s3() as running:
        yield running


@pytest.fixture
def s3(s3_server: "S3Server", monkeypatch: pytest.MonkeyPatch) -> Iterator["S3Settings"]:
    """An empty bucket, as settings name it."""
    from tests.s3_server import give_credentials, new_bucket  # noqa: PLC0415 - as above

    give_credentials(monkeypatch)
    yield new_bucket(s3_server)
    s3_server.fault = None


@pytest.fixture(scope="session")
def aws() -> Iterator[dict[str, str]]:
    """What AWS's own tools are told by the environment."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - as above

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    server.stop()
