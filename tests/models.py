"""Models that answer at once and can be told to misbehave: for tests of what is built on models."""

import asyncio
import hashlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shared.rag.models import Models
from shared.rag.offline.language_model import OfflineLanguageModel

if TYPE_CHECKING:
    from collections.abc import Callable

DIM = 384


class CountingModel:
    """The offline rules, counting what they are asked; may fail, be away, or let callers wait."""

    def __init__(self) -> None:
        self.extractions = 0
        self.summaries = 0
        self.answered = 0
        self.failures: list[Exception] = []
        """Raised by the next calls, one each."""
        self.failure_of: dict[str, Exception] = {}
        """Raised once by a call in whose prompt a word stands."""
        self.outage: Exception | None = None
        """Raised by every call while it is set."""
        self.summary_reply: str | None = None
        """What every summary is while it is set."""
        self.extraction_replies: dict[str, str] = {}
        """Replies for passages in which a word stands; the others are read by the rules."""
        self.open = asyncio.Event()
        """While it is cleared, callers wait, but for the first `free_calls` of them."""
        self.open.set()
        self.free_calls = 0
        self.called = asyncio.Event()
        self._rules = OfflineLanguageModel()

    async def complete(
        self, prompt: str, system_prompt: str | None = None, **options: object
    ) -> object:
        if system_prompt and "---Entity Types---" in system_prompt:
            self.extractions += 1
        elif not system_prompt:
            self.summaries += 1
        self.called.set()
        if self.outage is not None:
            raise self.outage
        if self.failures:
            raise self.failures.pop(0)
        for word in [word for word in self.failure_of if word in prompt]:
            raise self.failure_of.pop(word)
        if self.free_calls:
            self.free_calls -= 1
        else:
            await self.open.wait()
        reply = self._told(prompt, system_prompt)
        if reply is None:
            reply = await self._rules.complete(prompt, system_prompt, **options)  # type: ignore[arg-type] # LightRAG's options
        self.answered += 1
        return reply

    def _told(self, prompt: str, system_prompt: str | None) -> object | None:
        if not system_prompt:
            return self.summary_reply
        words = (word for word in self.extraction_replies if word in prompt)
        return next((self.extraction_replies[word] for word in words), None)


class HashEmbeddings:
    """Vectors that depend on nothing but the text; may refuse one word or keep callers waiting."""

    def __init__(self) -> None:
        self.refused_word: str | None = None
        self.failure: Exception = ValueError("no vector for this")
        self.distort: Callable[[list[str], NDArray[np.float32]], NDArray[np.float32]] | None = None
        """Spoils the vectors of texts while it is set."""
        self.open = asyncio.Event()
        self.open.set()
        self.called = asyncio.Event()

    async def embed(self, texts: list[str], *, is_query: bool) -> NDArray[np.float32]:
        self.called.set()
        await self.open.wait()
        if self.refused_word and any(self.refused_word in text for text in texts):
            raise self.failure
        vectors = await embed_by_hash(texts, is_query=is_query)
        return vectors if self.distort is None else self.distort(texts, vectors)


async def embed_by_hash(texts: list[str], *, is_query: bool) -> NDArray[np.float32]:
    vectors = []
    for text in texts:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        vector = np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)
        vectors.append(vector / np.linalg.norm(vector))
    return np.array(vectors)


async def nothing_to_close() -> None:
    return None


def models_of(model: CountingModel, embeddings: HashEmbeddings | None = None) -> Models:
    return Models(
        complete=model.complete,  # type: ignore[arg-type] # returns what the rules return
        llm_name="counting",
        embed=(embeddings or HashEmbeddings()).embed,
        embedding_name="hash",
        embedding_dim=DIM,
        embedding_max_tokens=512,
        close=nothing_to_close,
    )
