"""An answer as NDJSON, line for line in the order of LightRAG's own server."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from api.queries.schemas import QueryRequest
from api.queries.service import references_of
from shared.errors import AppError
from shared.logs import get_logger
from shared.rag.questions import Answer, OnProgress

logger = get_logger(__name__)


async def answer_lines(answer: Answer, request: QueryRequest) -> AsyncIterator[str]:
    """Write the references, then the answer in pieces; or both in one line if it came whole."""
    references = references_of(answer, request)
    if answer.stream is None:
        whole = {"response": answer.response or "", "llm_generated": answer.llm_generated}
        yield _line(whole if references is None else whole | {"references": references})
        return
    if references is not None:
        yield _line({"references": references})
    try:
        async for piece in answer.stream:
            if piece:
                yield _line({"response": piece})
    except Exception as error:  # noqa: BLE001 - the status was sent; a line is all that is left
        yield _error_line(error)


async def lines_with_progress(
    ask: Callable[[OnProgress], Awaitable[Answer]],
    request: QueryRequest,
    elapsed_s: Callable[[], float],
) -> AsyncIterator[str]:
    """Write what LightRAG is doing while it does it, then the answer, then the time it took."""
    events: asyncio.Queue[str | None] = asyncio.Queue()

    async def run() -> Answer:
        try:
            return await ask(events.put)
        finally:
            events.put_nowait(None)

    asking = asyncio.create_task(run())
    try:
        while (event := await events.get()) is not None:
            yield _line({"progress": event})
        try:
            answer = await asking
        except Exception as error:  # noqa: BLE001 - as above
            yield _error_line(error)
            return
        async for line in answer_lines(answer, request):
            yield line
        yield _line({"response_time": round(elapsed_s(), 3)})
    finally:
        asking.cancel()
        await asyncio.wait([asking])


def _line(content: dict[str, Any]) -> str:
    return json.dumps(content) + "\n"


def _error_line(error: Exception) -> str:
    if not isinstance(error, AppError):
        logger.error("answer_broke_off", exc_info=error)
        error = AppError()
    return _line({"error": error.detail, "code": error.code})
