"""An installation with a filled workspace, and a folder for its backups."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from lightrag.kg.shared_storage import finalize_share_data

from ops.backup.places import DirectoryBackupPlace
from shared.ids import WorkspaceName
from shared.ledger.records import TaskState
from shared.objects.factory import open_objects
from shared.settings import Settings, load_settings
from tests.integration.engine.disturbed import states
from tests.integration.engine.shapes import files_variables, open_fleet, server_variables
from tests.integration.engine.steps import committed
from tests.integration.worker.fleet import Fleet

if TYPE_CHECKING:
    from shared.objects.memory import MemoryObjectStore

# The name of the embedding that worker tiers have in tests; nobody else is asked for vectors.
EMBEDDING = {
    "EMBEDDING_PROVIDER": "openai",
    "EMBEDDING_BASE_URL": "http://127.0.0.1:9",
    "EMBEDDING_API_KEY": "none",
    "EMBEDDING_MODEL": "hash",
}
NOTES = WorkspaceName("notes")
TEXTS = {
    "curie": "Marie Curie met Pierre Curie in Paris. Marie Curie worked in Paris. ",
    "bohr": "Niels Bohr met Albert Einstein in Copenhagen. Marie Curie met Niels Bohr. ",
}


@pytest.fixture
def shape() -> str:
    """Which stores a test works on; tests parametrise it."""
    return "valkey"


@pytest.fixture
def variables(shape: str, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings of an installation where nothing is yet."""
    folder = tmp_path / "data"
    folder.mkdir()
    if shape == "files":
        return files_variables(folder) | EMBEDDING
    servers = [request.getfixturevalue(name) for name in ("fresh_database", "fresh_valkey")]
    chosen = server_variables(shape, folder, *servers)
    if shape == "neo4j":
        chosen |= request.getfixturevalue("fresh_neo4j").variables
    # Longer than a busy machine ever keeps a process from renewing its lease.
    return {"TASK_LEASE_S": "60", **chosen, **EMBEDDING}


@pytest.fixture
def settings(variables: dict[str, str]) -> Settings:
    return load_settings(None, overrides=variables)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def place(folder: Path) -> DirectoryBackupPlace:
    return DirectoryBackupPlace(folder)


@asynccontextmanager
async def working(variables: dict[str, str]) -> AsyncIterator[Fleet]:
    """A worker tier in the workspace `notes`; what it opened is closed at the end."""
    async with open_fleet(variables) as fleet:
        objects = open_objects(fleet.context.settings)  # where the commands look for them
        context = replace(fleet.context, objects=objects)
        kept = cast("MemoryObjectStore", objects)
        yield replace(fleet, workspace=NOTES, context=context, objects=kept)
    # LightRAG keeps what it read of files by the workspace's name, whatever their folder.
    finalize_share_data()


@pytest.fixture
async def filled(variables: dict[str, str]) -> dict[str, str]:
    """Fill the workspace `notes`; the settings it is filled with."""
    async with working(variables) as fleet:
        await fleet.context.ledger.workspaces.create(NOTES)
        await committed(fleet, TEXTS)
        assert await states(fleet) == {TaskState.SUCCEEDED}
    return variables
