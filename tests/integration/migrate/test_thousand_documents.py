"""Stock `lightrag-server` answers the same on a folder, on servers, and on a folder again."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.engine.shapes import server_variables
from tests.integration.engine.stock_server import (
    require_lightrag_server,
    serving,
    stock_variables,
)
from tests.integration.migrate.conftest import command
from tests.integration.migrate.thousand_documents import DOCUMENTS, person, texts
from tests.model_server import ModelServer
from tests.models import DIM
from tests.services import Neo4jServer, drop_database, make_database, run

pytestmark = pytest.mark.long

MODULE = "tests.integration.migrate.thousand_documents"
QUESTIONS = [f"Whom did {person(0)} meet?", f"Who met {person(1)}?", texts()["doc-0500"]]
MODES = ["naive", "local", "global", "hybrid", "mix"]
# Few enough that all fit into what a model may be told: where things are cut off, the order of
# those of equal rank decides, and each store has its own.
FEW = {"top_k": 8, "chunk_top_k": 12}
FILES = {
    "LIGHTRAG_KV_STORAGE": "JsonKVStorage",
    "LIGHTRAG_VECTOR_STORAGE": "NanoVectorDBStorage",
    "LIGHTRAG_GRAPH_STORAGE": "NetworkXStorage",
    "LIGHTRAG_DOC_STATUS_STORAGE": "JsonDocStatusStorage",
}
Contexts = dict[tuple[str, str], list[str]]


@pytest.fixture(scope="module")
def large_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("thousand")
    subprocess.run([sys.executable, "-m", MODULE, folder], check=True, capture_output=True)
    return folder / "rag"


@pytest.fixture(scope="module")
def models() -> Iterator[ModelServer]:
    with ModelServer().running() as server:
        yield server


@pytest.fixture
def variables(
    models: ModelServer,
    tmp_path: Path,
    postgres_url: str,
    fresh_valkey: str,
    fresh_neo4j: Neo4jServer,
) -> Iterator[dict[str, str]]:
    """Neo4j, PostgreSQL and Valkey, and the models that the folder was made with."""
    with database(postgres_url) as url:
        yield {
            **server_variables("neo4j", tmp_path / "data", url, fresh_valkey),
            **fresh_neo4j.variables,
            **models.variables(PROVIDER="openai", API_KEY="any"),
            "LLM_MODEL": "rules",
            "EMBEDDING_MODEL": "hash",
            "EMBEDDING_DIM": str(DIM),
            "TASK_LEASE_S": "20",
        }


@contextmanager
def database(postgres_url: str) -> Iterator[str]:
    """A database whose vector index misses nothing, as files do: by default it is approximate."""
    url = run(make_database(postgres_url, settings={"hnsw.ef_search": "1000"}))
    yield url
    run(drop_database(postgres_url, url))


async def contexts(variables: Mapping[str, str], folder: Path) -> Contexts:
    """What a model would be told, as lines, by question and mode."""
    async with serving(variables, made(folder)) as server:
        counts = await server.get("/documents/status_counts")
        assert counts["status_counts"]["processed"] == DOCUMENTS
        return {
            (question, mode): (await server.context(question, mode, **FEW)).splitlines()
            for question in QUESTIONS
            for mode in MODES
        }


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def require_same(found: Contexts, expected: Contexts) -> None:
    """Compare; the order of what has the same rank is each graph store's own."""
    for (question, mode), lines in expected.items():
        if mode == "naive":
            assert found[question, mode] == lines, (question, mode)
        else:
            assert sorted(found[question, mode]) == sorted(lines), (question, mode)
        assert len(lines) > FEW["top_k"]


async def test_a_thousand_documents_move_to_servers_and_back(
    large_folder: Path, models: ModelServer, variables: dict[str, str], tmp_path: Path
) -> None:
    require_lightrag_server()
    back = tmp_path / "back"
    on_servers = stock_variables(variables, "moved", models)

    def on_files(folder: Path) -> dict[str, str]:
        return stock_variables(variables, "", models) | FILES | {"WORKING_DIR": str(folder)}

    expected = await contexts(on_files(large_folder), tmp_path / "one")
    for words in (
        ("--from", f"folder:{large_folder}", "--to", "settings", "-w", "moved"),
        ("--from", "settings", "--source-workspace", "moved", "--to", f"folder:{back}"),
    ):
        done = await asyncio.to_thread(command(variables, timeout_s=600), "migrate", *words)
        assert done.returncode == 0, done.stdout + done.stderr

    require_same(await contexts(on_servers, tmp_path / "two"), expected)
    require_same(await contexts(on_files(back), tmp_path / "three"), expected)
