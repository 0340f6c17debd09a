"""Stock `lightrag-server` as a process of its own on stores of ours, spoken to over its HTTP."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from lightrag.utils import compute_mdhash_id

from bench.systems.stock import provide_vocabulary
from ops.local.ports import HOST, free_port
from ops.local.process import ChildSpec
from ops.local.readiness import answers_http
from shared.connections import redis_url
from shared.settings import load_settings
from tests.model_server import ModelServer
from tests.models import DIM
from tests.services import not_available, start

PROGRAM = Path(__file__).parents[3] / ".venv-bench" / "bin" / "lightrag-server"
TIMEOUT_S = 60  # a hundred times what a document takes on an idle machine
POLL_S = 0.1
_EVERYTHING = "-1"


@dataclass(frozen=True)
class StockProcess:
    """What is needed to run it; one of the servers that tests start."""

    folder: Path
    port: int
    variables: Mapping[str, str]

    def prepare(self) -> None:
        provide_vocabulary(self.folder / "tiktoken")

    def child(self) -> ChildSpec:
        own = {
            "PATH": os.defpath,
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.folder),
            "HOST": HOST,
            "PORT": str(self.port),
            "WORKING_DIR": str(self.folder / "storage"),
            "INPUT_DIR": str(self.folder / "inputs"),
            "TIKTOKEN_CACHE_DIR": str(self.folder / "tiktoken"),
        }
        return ChildSpec(
            name="lightrag-server",
            argv=(str(PROGRAM),),
            log_path=self.folder / "lightrag-server.log",
            cwd=self.folder,  # where no .env lies
            environment=own | self.variables,
        )

    async def ready(self) -> bool:
        return await answers_http(self.port, "/health")


def stock_variables(
    variables: Mapping[str, str], workspace: str, models: ModelServer
) -> dict[str, str]:
    """Say in its variables what our settings say, as docs/lightrag-server.md does for people."""
    settings = load_settings(None, overrides=variables)
    postgres, neo4j, indexing = settings.postgres, settings.neo4j, settings.indexing
    return {
        "WORKSPACE": workspace,
        "LIGHTRAG_KV_STORAGE": settings.storage.kv_storage,
        "LIGHTRAG_VECTOR_STORAGE": settings.storage.vector_storage,
        "LIGHTRAG_GRAPH_STORAGE": settings.storage.graph_storage,
        "LIGHTRAG_DOC_STATUS_STORAGE": "PGDocStatusStorage",
        "POSTGRES_HOST": postgres.host,
        "POSTGRES_PORT": str(postgres.port),
        "POSTGRES_USER": postgres.user,
        "POSTGRES_PASSWORD": postgres.password.get_secret_value(),
        "POSTGRES_DATABASE": postgres.db,
        "REDIS_URI": redis_url(settings.redis),
        "NEO4J_URI": neo4j.uri,
        "NEO4J_USERNAME": neo4j.username,
        "NEO4J_PASSWORD": neo4j.password.get_secret_value(),
        "NEO4J_DATABASE": neo4j.database,
        "LLM_BINDING": "openai",
        "LLM_BINDING_HOST": models.url,
        "LLM_BINDING_API_KEY": "any",
        "LLM_MODEL": "rules",
        "EMBEDDING_BINDING": "openai",
        "EMBEDDING_BINDING_HOST": models.url,
        "EMBEDDING_BINDING_API_KEY": "any",
        # The name and the size of the vectors are in the names of their tables.
        "EMBEDDING_MODEL": "hash",
        "EMBEDDING_DIM": str(DIM),
        "CHUNK_SIZE": str(indexing.chunk_size),
        "CHUNK_OVERLAP_SIZE": str(indexing.chunk_overlap_size),
        "ENABLE_LLM_CACHE": "false",  # a cached answer outlives what it was made from
        "MAX_GLEANING": "0",  # rules find nothing new when asked a second time
        # Vectors of hashes tell nothing about what is near.
        "COSINE_THRESHOLD": _EVERYTHING,
        "RERANK_BY_DEFAULT": "false",
    }


@dataclass(frozen=True)
class StockServer:
    """One that runs."""

    http: httpx.AsyncClient

    async def documents(self) -> dict[str, str]:
        """Return the state of every document by its id."""
        page = await self._post("/documents/paginated", {"page_size": 200})
        return {row["id"]: row["status"] for row in page["documents"]}

    async def insert(self, file_name: str, text: str) -> str:
        """Read a text and wait until it is in the graph; the document's id."""
        await self._post("/documents/text", {"text": text, "file_source": file_name})
        doc_id = compute_mdhash_id(file_name, prefix="doc-")

        async def is_in() -> bool:
            state = (await self.documents()).get(doc_id)
            assert state != "failed", doc_id
            return state == "processed"

        await self._until(is_in)
        return doc_id

    async def delete(self, doc_id: str) -> None:
        """Remove a document and wait until it is gone."""
        answer = await self.http.request(
            "DELETE", "/documents/delete_document", json={"doc_ids": [doc_id]}
        )
        assert answer.json()["status"] == "deletion_started", answer.text

        async def is_gone() -> bool:
            return doc_id not in await self.documents()

        await self._until(is_gone)

    async def context(self, question: str, mode: str, **more: int) -> str:
        """Return what a model would get to read before it answers."""
        options = {"query": question, "mode": mode, "only_need_context": True, **more}
        return str((await self._post("/query", options))["response"])

    async def get(self, path: str, **parameters: str) -> Any:
        answer = await self.http.get(path, params=parameters)
        assert answer.is_success, answer.text
        return answer.json()

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = await self.http.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def _until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait for it, and until the server is idle: it settles some things afterwards."""
        async with asyncio.timeout(TIMEOUT_S):
            while not await condition() or await self._is_busy():  # noqa: ASYNC110 - HTTP has no events
                await asyncio.sleep(POLL_S)

    async def _is_busy(self) -> bool:
        return bool((await self.get("/documents/pipeline_status"))["busy"])


def require_lightrag_server() -> None:
    """Skip the test, or fail it in CI, where the server is not installed."""
    if not PROGRAM.exists():
        not_available(f"there is no {PROGRAM}; `make test-long` installs it")


@asynccontextmanager
async def lightrag_server(
    variables: Mapping[str, str], workspace: str, models: ModelServer, folder: Path
) -> AsyncIterator[StockServer]:
    """Run one on the stores that our settings name, in one workspace; stopped at the end."""
    async with serving(stock_variables(variables, workspace, models), folder) as server:
        yield server


@asynccontextmanager
async def serving(variables: Mapping[str, str], folder: Path) -> AsyncIterator[StockServer]:
    """Run one with variables of its own; stopped at the end."""
    port = free_port()
    child = await start(StockProcess(folder, port, variables))
    try:
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", timeout=TIMEOUT_S) as http:
            yield StockServer(http)
    finally:
        await child.stop()
