"""LightRAG over file storages with models that answer at once."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.ids import PhysicalWorkspace
from shared.rag.models import Models
from shared.rag.offline.language_model import OfflineLanguageModel
from shared.rag.pool import RagPool
from shared.settings import Settings, load_settings


class CountingModel:
    """The offline rules, counting what they are asked."""

    def __init__(self) -> None:
        self.extractions = 0
        self.summaries = 0
        self._rules = OfflineLanguageModel()

    async def complete(
        self, prompt: str, system_prompt: str | None = None, **options: object
    ) -> object:
        if system_prompt and "---Entity Types---" in system_prompt:
            self.extractions += 1
        elif not system_prompt:
            self.summaries += 1
        return await self._rules.complete(prompt, system_prompt, **options)  # type: ignore[arg-type] # LightRAG's options


async def embed_by_hash(texts: list[str], *, is_query: bool) -> NDArray[np.float32]:
    vectors = []
    for text in texts:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        vector = np.random.default_rng(seed).standard_normal(384).astype(np.float32)
        vectors.append(vector / np.linalg.norm(vector))
    return np.array(vectors)


async def nothing_to_close() -> None:
    return None


@pytest.fixture
def model() -> CountingModel:
    return CountingModel()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(
        None, overrides={"DATA_DIR": str(tmp_path), "USE_EXTERNAL_STORAGE": "false"}
    )


@pytest.fixture
async def rags(settings: Settings, model: CountingModel) -> AsyncIterator[RagPool]:
    models = Models(
        complete=model.complete,  # type: ignore[arg-type] # returns what the rules return
        llm_name="counting",
        embed=embed_by_hash,
        embedding_name="hash",
        embedding_dim=384,
        embedding_max_tokens=512,
        close=nothing_to_close,
    )
    pool = RagPool(settings, models)
    yield pool
    await pool.close()


@pytest.fixture
def workspace(request: pytest.FixtureRequest) -> PhysicalWorkspace:
    # LightRAG keeps file storages' data in process globals by workspace: every test has its own.
    return PhysicalWorkspace("w" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12])
