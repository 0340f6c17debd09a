"""Stock `lightrag-server` in its own environment, over the same servers."""

import gzip
import hashlib
import shutil
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from bench.settings import CHAT_MODEL, EMBEDDING_MODEL, ModelSettings, StockShape
from bench.systems.processes import Crowd
from bench.systems.stores import Place, Stores
from ops.local.ports import HOST, free_port
from ops.local.readiness import answers_http

# tiktoken looks for a downloaded vocabulary under the SHA-1 of where it would download it from.
_VOCABULARY_NAME = hashlib.sha1(
    b"https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken",
    usedforsecurity=False,
).hexdigest()


class StockServer:
    """One running `lightrag-server`."""

    def __init__(self, crowd: Crowd, program: Path) -> None:
        self._crowd = crowd
        self._program = program
        self._port = free_port()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self._port}"

    async def start(
        self, stores: Stores, place: Place, models: ModelSettings, shape: StockShape
    ) -> None:
        """Start it and wait until it answers."""
        folder = self._crowd.folder / "stock"
        provide_vocabulary(folder / "tiktoken")
        variables = {
            "HOST": HOST,
            "PORT": str(self._port),
            "WORKING_DIR": str(folder / "storage"),
            "INPUT_DIR": str(folder / "inputs"),
            "TIKTOKEN_CACHE_DIR": str(folder / "tiktoken"),
            **stores.variables(place),
            **_storage_variables(place),
            **_model_variables(models, shape),
        }
        program = self._program
        if shape.gunicorn_workers:
            program = program.with_name("lightrag-gunicorn")
            variables["WORKERS"] = str(shape.gunicorn_workers)
        spec = self._crowd.spec("lightrag-server", (str(program),), variables)
        await self._crowd.start(spec, partial(answers_http, self._port, "/health"))


def _storage_variables(place: Place) -> dict[str, str]:
    return {
        "WORKSPACE": place.workspace,
        "LIGHTRAG_KV_STORAGE": "RedisKVStorage",
        "LIGHTRAG_VECTOR_STORAGE": "PGVectorStorage",
        "LIGHTRAG_GRAPH_STORAGE": place.graph,
        "LIGHTRAG_DOC_STATUS_STORAGE": "PGDocStatusStorage",
        # What our processes set, too; LightRAG's own defaults are less.
        "POSTGRES_MAX_CONNECTIONS": "64",
        "POSTGRES_VECTOR_INDEX_TYPE": "HNSW",
    }


def _model_variables(models: ModelSettings, shape: StockShape) -> dict[str, str]:
    return {
        "LLM_BINDING": "openai",
        "LLM_BINDING_HOST": models.url,
        "LLM_BINDING_API_KEY": "lightrag-server",
        "LLM_MODEL": CHAT_MODEL,
        "EMBEDDING_BINDING": "openai",
        "EMBEDDING_BINDING_HOST": models.url,
        "EMBEDDING_BINDING_API_KEY": "lightrag-server",
        "EMBEDDING_MODEL": EMBEDDING_MODEL,
        "EMBEDDING_DIM": str(models.dimension),
        "EMBEDDING_USE_BASE64": "true",  # the quicker of its two ways
        "MAX_ASYNC": str(shape.max_async),
        "MAX_ASYNC_LLM": str(shape.max_async),
        "MAX_PARALLEL_INSERT": str(shape.max_parallel_insert),
        "EMBEDDING_FUNC_MAX_ASYNC": str(shape.embedding_max_async),
        "EMBEDDING_BATCH_NUM": str(shape.embedding_batch),
        "CHUNK_SIZE": str(models.chunk_tokens),
        "CHUNK_OVERLAP_SIZE": str(models.overlap_tokens),
        "MAX_GLEANING": str(models.gleaning),
        "ENABLE_LLM_CACHE": "false",  # of answers, as in our system
        "ENABLE_LLM_CACHE_FOR_EXTRACT": "true",  # likewise
        "LOG_LEVEL": "WARNING",  # its INFO costs a good part of its CPU
        "MAX_PENDING_DOCUMENTS": "0",
        "MAX_TEXTS_PER_REQUEST": "0",
    }


def provide_vocabulary(folder: Path) -> None:
    """Put the vocabulary of `bpe-openai` where tiktoken finds it: nothing is to be downloaded."""
    target = folder / _VOCABULARY_NAME
    if target.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    package = find_spec("bpe_openai")
    assert package is not None  # noqa: S101 - a pinned requirement
    assert package.origin is not None  # noqa: S101 - it has an __init__.py
    packed = Path(package.origin).parent / "data" / "o200k_base.tiktoken.gz"
    with gzip.open(packed, "rb") as source, target.open("wb") as destination:
        shutil.copyfileobj(source, destination)
