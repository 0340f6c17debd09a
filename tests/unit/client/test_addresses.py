"""Where the client looks for the API."""

from pathlib import Path

import pytest

from ops.client import addresses
from ops.client.addresses import api_url
from ops.local.control import ServiceStatus, Status
from ops.local.state import Phase
from shared.settings import load_settings

KEY = "0123456789"


@pytest.mark.parametrize(
    ("named", "found"),
    [("http://far:1", "http://far:1"), ("far:1", "http://far:1"), (None, "http://127.0.0.1:8000")],
)
def test_a_named_address_wins_over_settings(named: str | None, found: str, tmp_path: Path) -> None:
    settings = load_settings(None, overrides={"DATA_DIR": str(tmp_path)})
    assert api_url(settings, named=named) == found


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("0.0.0.0", "http://127.0.0.1:9"),  # noqa: S104 - nothing listens here
        ("::", "http://127.0.0.1:9"),
        ("::1", "http://[::1]:9"),
        ("api.example", "http://api.example:9"),
    ],
)
def test_an_address_to_listen_on_becomes_one_to_connect_to(
    host: str, found: str, tmp_path: Path
) -> None:
    overrides = {"API_HOST": host, "API_PORT": "9", "API_KEY": KEY, "DATA_DIR": str(tmp_path)}
    assert api_url(load_settings(None, overrides=overrides), named=None) == found


@pytest.mark.parametrize(("running", "port"), [(True, 4711), (False, 8000)])
def test_a_system_that_runs_here_is_found_by_its_own_port(
    running: bool, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = ServiceStatus(
        name="api",
        running=running,
        phase=Phase.READY,
        pid=None,
        restarts=0,
        port=4711,
        url="http://127.0.0.1:4711",
    )
    here = Status(running=running, phase=Phase.READY, supervisor_pid=None, services=(service,))
    monkeypatch.setattr(addresses, "status", lambda _: here)
    assert api_url(load_settings(None), named=None) == f"http://127.0.0.1:{port}"
