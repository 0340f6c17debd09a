"""Asks a workspace a question and shapes what comes back."""

from contextlib import AsyncExitStack
from typing import Any

from api.queries.schemas import QueryRequest
from api.resources import Resources
from shared.ledger.records import Workspace
from shared.rag.calls import Purpose, call_context
from shared.rag.models import require_same_embedding
from shared.rag.questions import Answer, OnProgress, Question


async def ask_workspace(
    request: QueryRequest,
    workspace: Workspace,
    *,
    resources: Resources,
    stack: AsyncExitStack,
    stream: bool,
    on_progress: OnProgress | None = None,
) -> Answer:
    """Answer a question; the workspace stays open until `stack` is unwound.

    Raises:
        EmbeddingMismatchError: the workspace was filled with another embedding model.
        StoreUnavailableError: a store did not answer.
        ModelUnavailableError: a model did not answer.
    """
    require_same_embedding(workspace, resources.settings)
    rag = await stack.enter_async_context(resources.rags.use(workspace.physical))
    question = Question(request.query, request.parameters(stream=stream))
    with call_context(Purpose.QUERY, workspace=workspace.name):
        return await resources.ask(rag, question, on_progress=on_progress)


def references_of(answer: Answer, request: QueryRequest) -> list[dict[str, Any]] | None:
    """Return the sources, with what was read of them if asked for; None if they are unwanted."""
    if not request.include_references:
        return None
    if not request.include_chunk_content:
        return answer.references
    contents: dict[str, list[str]] = {}
    for chunk in answer.chunks:
        if chunk.get("reference_id") and chunk.get("content"):
            contents.setdefault(chunk["reference_id"], []).append(chunk["content"])
    return [
        reference | {"content": contents[reference["reference_id"]]}
        if reference["reference_id"] in contents
        else reference
        for reference in answer.references
    ]
