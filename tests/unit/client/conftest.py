"""A client that talks to a scripted API."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from ops.client import delivery
from ops.client.api_client import ApiClient
from tests.unit.client.scripted_api import ScriptedApi


@pytest.fixture
def api() -> ScriptedApi:
    return ScriptedApi()


@pytest.fixture
async def client(api: ScriptedApi) -> AsyncIterator[ApiClient]:
    transport = httpx.MockTransport(api.handle)
    async with ApiClient("http://api.test", key="k3y", workspace="team", transport=transport) as it:
        yield it


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_text("text")
    return path


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Look at tasks without pauses, so that tests take no time."""
    monkeypatch.setattr(delivery, "_SHORTEST_LOOK_S", 0)
    monkeypatch.setattr(delivery, "_LOOK_PER_TASK_S", 0)
    return lambda: monkeypatch.setattr(delivery, "_OUTAGE_PATIENCE_S", 0)
