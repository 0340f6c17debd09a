"""POST /query and POST /query/stream."""

import time

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from api.dependencies import ExitStackDep, ResourcesDep, WorkspaceDep
from api.queries.schemas import QueryRequest, QueryResponse, ReferenceItem
from api.queries.service import ask_workspace, references_of
from api.queries.stream import answer_lines, lines_with_progress
from shared.rag.questions import Answer, OnProgress

router = APIRouter(tags=["queries"])

# Proxies would otherwise hold lines back until their buffer is full.
_STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


@router.post("/query")
async def query(
    request: QueryRequest, workspace: WorkspaceDep, resources: ResourcesDep, stack: ExitStackDep
) -> QueryResponse:
    """Answer a question from a workspace, with its sources."""
    started_s = time.perf_counter()
    answer = await ask_workspace(request, workspace, resources=resources, stack=stack, stream=False)
    references = references_of(answer, request)
    return QueryResponse(
        response=answer.response or "",
        references=None
        if references is None
        else [ReferenceItem.model_validate(reference) for reference in references],
        response_time=round(time.perf_counter() - started_s, 3),
        llm_generated=answer.llm_generated,
    )


@router.post("/query/stream", response_class=StreamingResponse)
async def query_stream(
    request: QueryRequest, workspace: WorkspaceDep, resources: ResourcesDep, stack: ExitStackDep
) -> StreamingResponse:
    """Answer a question line by line (NDJSON): references first, then the answer in pieces."""
    started_s = time.perf_counter()

    async def ask(on_progress: OnProgress | None = None) -> Answer:
        return await ask_workspace(
            request,
            workspace,
            resources=resources,
            stack=stack,
            stream=request.stream is not False,
            on_progress=on_progress,
        )

    if request.include_progress:
        lines = lines_with_progress(ask, request, lambda: time.perf_counter() - started_s)
    else:
        lines = answer_lines(await ask(), request)
    return StreamingResponse(lines, media_type="application/x-ndjson", headers=_STREAM_HEADERS)
