"""Which models are used, and the functions through which LightRAG calls them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.errors import EmbeddingMismatchError
from shared.ledger.records import Workspace
from shared.rag.budget.factory import open_budget
from shared.rag.offline.embeddings import OfflineEmbeddings
from shared.rag.offline.language_model import OfflineLanguageModel
from shared.rag.openai_compatible import OpenAiEmbeddings, OpenAiLanguageModel, endpoint_url
from shared.rag.usage import UsageMeter
from shared.settings import Settings
from shared.settings_sections import Provider

Complete = Callable[..., Awaitable[str | AsyncIterator[str]]]
Embed = Callable[..., Awaitable[NDArray[np.float32]]]

OFFLINE_EMBEDDING_NAME = "multilingual-e5-small"


@dataclass(frozen=True)
class Models:
    """The two models of one process; made once, shared by all workspaces."""

    complete: Complete
    llm_name: str
    embed: Embed
    """Called with texts and `is_query`; returns an array of shape (texts, dimension)."""
    embedding_name: str
    embedding_dim: int
    embedding_max_tokens: int
    close: Callable[[], Awaitable[None]]
    meter: UsageMeter = field(default_factory=UsageMeter)
    """Counts what the calls take; whoever opened the models has it written down."""


def open_models(settings: Settings) -> Models:
    """Make the clients that settings name; no connection is made yet."""
    meter = UsageMeter()
    language_model = _language_model(settings, meter)
    embeddings = _embeddings(settings, meter)

    async def close() -> None:
        for model in (language_model, embeddings):
            if isinstance(model, OpenAiLanguageModel | OpenAiEmbeddings):
                await model.close()

    return Models(
        complete=language_model.complete,
        llm_name=language_model.name,
        embed=embeddings.embed,
        embedding_name=embedding_name(settings),
        embedding_dim=settings.embedding.dim,
        embedding_max_tokens=embeddings.max_tokens,
        close=close,
        meter=meter,
    )


def embedding_name(settings: Settings) -> str:
    """Return the name under which a workspace remembers its embedding model."""
    if settings.embedding.provider is Provider.OFFLINE:
        return OFFLINE_EMBEDDING_NAME
    return settings.embedding.model


def require_same_embedding(workspace: Workspace, settings: Settings) -> None:
    """Check a workspace before its stores are opened: they could not read their own vectors.

    Raises:
        EmbeddingMismatchError: the workspace was filled with another model or dimension.
    """
    filled_with = (workspace.embedding_model, workspace.embedding_dim)
    ours = (embedding_name(settings), settings.embedding.dim)
    if workspace.embedding_model is not None and filled_with != ours:
        raise EmbeddingMismatchError


def describe_models(settings: Settings) -> dict[str, str]:
    """Tell a person which models answer; says plainly when no language model does."""
    described: dict[str, Any] = {"embedding": embedding_name(settings)}
    if settings.llm.provider is Provider.OFFLINE:
        note = "No language model: rules extract entities, answers are excerpts with references."
        return described | {"llm": OfflineLanguageModel.name, "note": note}
    return described | {"llm": settings.llm.model}


def _language_model(
    settings: Settings, meter: UsageMeter
) -> OfflineLanguageModel | OpenAiLanguageModel:
    if settings.llm.provider is Provider.OFFLINE:
        return OfflineLanguageModel()
    budget = open_budget(settings, settings.llm, url=endpoint_url(settings.llm))
    return OpenAiLanguageModel(settings.llm, budget=budget, meter=meter)


def _embeddings(settings: Settings, meter: UsageMeter) -> OfflineEmbeddings | OpenAiEmbeddings:
    if settings.embedding.provider is Provider.OFFLINE:
        return OfflineEmbeddings()
    budget = open_budget(settings, settings.embedding, url=endpoint_url(settings.embedding))
    return OpenAiEmbeddings(settings.embedding, budget=budget, meter=meter)
