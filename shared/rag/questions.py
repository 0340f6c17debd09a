"""Asking one workspace a question, the way LightRAG's own server does."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from lightrag import LightRAG, QueryParam
from lightrag.base import QueryResult
from lightrag.operate import kg_query, naive_query
from lightrag.prompt import PROMPTS

from shared.rag.store_errors import translated_store_errors
from shared.rag.traced import traced_storage

OnProgress = Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class Question:
    """A question and LightRAG's query parameters; those left out have LightRAG's defaults."""

    text: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """An answer: either the whole `response` or a `stream` of its pieces."""

    response: str | None
    stream: AsyncIterator[str] | None
    references: list[dict[str, Any]] = field(default_factory=list)
    """`reference_id` and `file_path` of the sources."""
    chunks: list[dict[str, Any]] = field(default_factory=list)
    """What was read, each with its `reference_id` and `content`."""
    llm_generated: bool = True


async def ask(
    rag: LightRAG, question: Question, *, on_progress: OnProgress | None = None
) -> Answer:
    """Answer a question from the stores of one workspace.

    `LightRAG.aquery_llm` turns every error into a text; here they keep their kind.

    Raises:
        StoreUnavailableError: a store did not answer.
        ModelUnavailableError: the model endpoint did not answer.
        ModelRefusedError: the model endpoint refused the request.
    """
    parameters = QueryParam(**question.parameters)
    with translated_store_errors():
        if parameters.mode == "bypass":
            return await _bypass(rag, question.text, parameters)
        result = await _retrieve(rag, question.text, parameters, on_progress=on_progress)
    if result is None:
        return Answer(PROMPTS["fail_response"], None, llm_generated=False)
    retrieved = (result.raw_data or {}).get("data", {})
    return Answer(
        response=None if result.is_streaming else result.content or PROMPTS["fail_response"],
        stream=result.response_iterator if result.is_streaming else None,
        references=retrieved.get("references", []),
        chunks=retrieved.get("chunks", []),
        llm_generated=bool(result.llm_generated and (result.is_streaming or result.content)),
    )


async def _retrieve(
    rag: LightRAG, text: str, parameters: QueryParam, *, on_progress: OnProgress | None
) -> QueryResult | None:
    config = rag._build_global_config()  # noqa: SLF001 - pinned internals, see tests/contract
    if parameters.mode == "naive":
        return await naive_query(
            text,
            traced_storage(rag, "chunks_vdb"),
            parameters,
            config,
            hashing_kv=rag.llm_response_cache,
            text_chunks_db=traced_storage(rag, "text_chunks"),
            progress_callback=on_progress,
        )
    return await kg_query(
        text,
        traced_storage(rag, "chunk_entity_relation_graph"),
        traced_storage(rag, "entities_vdb"),
        traced_storage(rag, "relationships_vdb"),
        traced_storage(rag, "text_chunks"),
        parameters,
        config,
        hashing_kv=rag.llm_response_cache,
        chunks_vdb=traced_storage(rag, "chunks_vdb"),
        progress_callback=on_progress,
    )


async def _bypass(rag: LightRAG, text: str, parameters: QueryParam) -> Answer:
    """Hand the question to the model without looking anything up."""
    reply = await rag._build_global_config()["role_llm_funcs"]["query"](  # noqa: SLF001 - as above
        text,
        history_messages=parameters.conversation_history,
        enable_cot=True,
        stream=parameters.stream,
    )
    if isinstance(reply, str):
        return Answer(reply, None)
    return Answer(None, reply)
