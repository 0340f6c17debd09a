"""The spans of model calls and of what questions read from the stores; ids and counts, no text."""

import inspect
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack
from typing import Any

from lightrag import LightRAG

from shared.rag.calls import current_call
from shared.rag.models import Complete, Embed
from shared.tracing import spans

# LightRAG's class names begin with what they keep their data in.
_SYSTEMS = {"PG": "postgresql", "Redis": "redis", "Neo4J": "neo4j"}


def traced_complete(complete: Complete, model: str) -> Complete:
    """Return a language model function each of whose calls is a span, if anybody listens."""
    if not spans.is_on():
        return complete

    async def traced(*arguments: Any, **options: Any) -> str | AsyncIterator[str]:  # noqa: ANN401 - LightRAG's
        said = _said_of_call("chat", model)
        with ExitStack() as stack:
            span = stack.enter_context(
                spans.detached_span(f"chat {model}", said, kind=spans.Kind.CLIENT)
            )
            with span.active():
                reply = await complete(*arguments, **options)
            if isinstance(reply, str):
                return reply
            return _traced_stream(reply, span, stack.pop_all())

    return traced


async def _traced_stream(
    pieces: AsyncIterator[str], span: spans.Span, ending: ExitStack
) -> AsyncIterator[str]:
    """Pass a stream on; its span is active while a piece is waited for, never in between."""
    with ending:
        span.set({"gen_ai.request.stream": True})
        try:
            while True:
                with span.active():
                    piece = await anext(pieces, None)
                if piece is None:
                    return
                yield piece
        finally:
            if isinstance(pieces, AsyncGenerator):
                await pieces.aclose()  # whoever leaves early leaves the model, too


def traced_embed(embed: Embed, model: str) -> Embed:
    """Return an embedding function each of whose calls is a span, if anybody listens."""
    if not spans.is_on():
        return embed

    async def traced(texts: list[str], *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - as above
        said = {**_said_of_call("embeddings", model), "texts": len(texts)}
        with spans.span(f"embeddings {model}", said, kind=spans.Kind.CLIENT):
            return await embed(texts, *arguments, **options)

    return traced


def traced_storage(rag: LightRAG, name: str) -> Any:  # noqa: ANN401 - one of LightRAG's
    """Return a storage of a LightRAG each of whose calls is a span, if anybody listens."""
    storage = getattr(rag, name)
    return _TracedStorage(storage, name) if spans.is_on() else storage


class _TracedStorage:
    """A storage of LightRAG's, each of its coroutines in a span."""

    def __init__(self, storage: Any, name: str) -> None:  # noqa: ANN401 - one of LightRAG's
        self._storage = storage
        self._name = name
        kind = type(storage).__name__
        self._system = next(
            (system for start, system in _SYSTEMS.items() if kind.startswith(start)), "files"
        )

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        found = getattr(self._storage, name)
        if name.startswith("_") or not inspect.iscoroutinefunction(found):
            return found

        async def traced(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - as above
            said = {
                "db.system.name": self._system,
                "db.collection.name": self._name,
                "db.operation.name": name,
            }
            with spans.span(f"{self._system} {name}", said, kind=spans.Kind.CLIENT):
                return await found(*arguments, **options)

        return traced


def _said_of_call(operation: str, model: str) -> spans.Attributes:
    call = current_call()
    return {
        "gen_ai.operation.name": operation,
        "gen_ai.request.model": model,
        "purpose": call.purpose.value,
        "workspace": call.workspace or None,
        "task_id": call.task_id or None,
    }
