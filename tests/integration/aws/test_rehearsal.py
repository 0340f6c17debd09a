"""docs/operations/aws-rehearsal.md says what comes of the guide's commands, typed just now."""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.local.ports import free_port
from tests.integration.aws.guide_commands import ALL
from tests.integration.aws.rehearsal import AWS, ROOT, page, rehearse
from tests.services import not_available

PAGE = ROOT / "docs/operations/aws-rehearsal.md"


@pytest.fixture
def empty_aws() -> Iterator[str]:
    """A stand-in in a process of its own: one in this process keeps what other tests put in."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    while True:
        assert server.poll() is None
        try:
            with urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=5):  # noqa: S310 - http
                break
        except OSError:
            continue
    yield url
    server.terminate()
    server.wait()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_page_is_what_is_typed(empty_aws: str, tmp_path: Path) -> None:
    if not AWS.exists():
        not_available("AWS's command line is missing: `make .venv-aws/stamp` fetches it")
    done = rehearse(empty_aws, tmp_path, lambda _: None)
    assert page(done) == PAGE.read_text(), "run `make aws-rehearsal`"


def test_the_page_has_a_row_for_every_command() -> None:
    assert page(ALL) == PAGE.read_text(), "run `make aws-rehearsal`"
