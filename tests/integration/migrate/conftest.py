"""A folder that stock LightRAG filled, and stores to move it to."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from lightrag import LightRAG
from lightrag.kg.shared_storage import finalize_share_data

from shared.ids import PhysicalWorkspace
from shared.rag.models import open_models
from shared.rag.pool import RagPool
from shared.settings import load_settings
from tests.integration.engine.shapes import files_variables, server_variables
from tests.integration.migrate.here import Here, command_here

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def stock_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stock")
    module = "tests.integration.migrate.stock_folder"
    subprocess.run([sys.executable, "-m", module, str(folder)], check=True, capture_output=True)
    return folder / "rag"


@pytest.fixture(
    params=[
        pytest.param("postgres", marks=pytest.mark.long),
        "valkey",
        pytest.param("neo4j", marks=pytest.mark.long),
        "files",
    ]
)
def variables(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Settings of an installation where nothing is yet."""
    if request.param == "files":
        yield files_variables(tmp_path)
        return
    chosen = server_variables(
        request.param,
        tmp_path,
        request.getfixturevalue("fresh_database"),
        request.getfixturevalue("fresh_valkey"),
    )
    if request.param == "neo4j":
        server = request.getfixturevalue("fresh_neo4j")
        chosen |= {"NEO4J_URI": server.uri, "NEO4J_PASSWORD": server.password}
    yield chosen


@pytest.fixture
def ragfleet(variables: dict[str, str]) -> Command:
    """The command, as it is typed, with these settings."""
    return command(variables)


def command(
    variables: Mapping[str, str], *, module: str = "ops.cli", timeout_s: float = 100
) -> Command:
    def ragfleet(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module, *words],
            env={"TASK_LEASE_S": "4", **variables, "PATH": os.defpath, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )

    return ragfleet


@asynccontextmanager
async def opened(variables: Mapping[str, str], workspace: str) -> AsyncIterator[LightRAG]:
    """A LightRAG over an installation's stores."""
    settings = load_settings(None, overrides=variables)
    pool = RagPool(settings, open_models(settings))
    try:
        async with pool.use(PhysicalWorkspace(workspace)) as rag:
            yield rag
    finally:
        await pool.close()
        # LightRAG keeps what it read of files by the workspace's name alone.
        finalize_share_data()


@pytest.fixture
def ragfleet_here(variables: dict[str, str]) -> Here:
    """The same without a process of its own."""
    return command_here(variables)
