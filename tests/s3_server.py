"""An S3 for tests: moto's, served by a thread of this process, and faults where a test wants some.

What it holds lives as long as the process: a server that was stopped is found again as it was.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from werkzeug.serving import BaseWSGIServer, make_server

from shared.settings_s3 import S3Settings

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Fault = Callable[[App, dict[str, Any], Callable[..., Any]], Iterable[bytes] | None]
"""Answers a request in S3's place, or returns None to let S3 do it."""


class S3Server:
    """Can be stopped and started again under the same address."""

    def __init__(self) -> None:
        # Seconds that only those tests should pay that need it.
        from moto.moto_server.werkzeug_app import (  # noqa: PLC0415
            DomainDispatcherApplication,
            create_backend_app,
        )

        logging.getLogger("werkzeug").setLevel(logging.CRITICAL)  # a line a request
        self._app = DomainDispatcherApplication(create_backend_app)
        self.fault: Fault | None = None
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", self.port, self._answer, threaded=True
        )
        self.port = self._server.port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if self.fault is not None:
            answer = self.fault(self._app, environ, start_response)
            if answer is not None:
                return answer
        return self._app(environ, start_response)


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """Serve an S3 without content."""
    server = S3Server()
    try:
        yield server
    finally:
        server.stop()


def refusing(status: str, code: str) -> Fault:
    """Make a fault that answers everything with an error."""

    def fault(
        _app: App, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(status, [("Content-Type", "application/xml")])
        return [f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()]

    return fault


def give_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 find what any S3 of tests takes, and nothing of the machine the tests run on."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)


def new_bucket(server: S3Server) -> S3Settings:
    """Make a bucket, and settings that mean it."""
    name = f"tests-{secrets.token_hex(4)}"
    client = boto3.client("s3", region_name="us-east-1", endpoint_url=server.url)
    client.create_bucket(Bucket=name)
    return S3Settings(bucket=name, region="us-east-1", endpoint_url=server.url)
