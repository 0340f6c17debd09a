"""LightRAG over file storages with models that answer at once."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.ids import PhysicalWorkspace
from shared.rag.models import Models
from shared.rag.pool import RagPool
from shared.settings import Settings, load_settings
from tests.models import CountingModel, models_of
from tests.standing_clock import stop_the_clock


@pytest.fixture(autouse=True)
def standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_the_clock(monkeypatch)


@pytest.fixture
def model() -> CountingModel:
    return CountingModel()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(
        None, overrides={"DATA_DIR": str(tmp_path), "USE_EXTERNAL_STORAGE": "false"}
    )


@pytest.fixture
def models(model: CountingModel) -> Models:
    return models_of(model)


@pytest.fixture
async def rags(settings: Settings, models: Models) -> AsyncIterator[RagPool]:
    pool = RagPool(settings, models)
    yield pool
    await pool.close()


@pytest.fixture
def workspace(request: pytest.FixtureRequest) -> PhysicalWorkspace:
    # LightRAG keeps file storages' data in process globals by workspace: every test has its own.
    return PhysicalWorkspace("w" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12])
