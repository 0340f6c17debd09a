"""An API that answers from a table, so that the client's tests need no network."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from api.documents.schemas import DocumentView
from api.tasks.schemas import ChunksView, TaskErrorView, TaskView
from shared.ledger.records import TaskKind, TaskState

_WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def task_view(state: str, *, done: int = 0, error: tuple[str, str] | None = None) -> dict[str, Any]:
    """Make a task just as the API shows it, by the API's own class."""
    return TaskView(
        id="task-1",
        kind=TaskKind.INSERT,
        state=TaskState(state),
        stage=None,
        workspace="default",
        doc_id="doc-1",
        revision=1,
        file_name="三国[1].txt",
        size_bytes=1234,
        chunks=ChunksView(done=done, total=4),
        attempt=1,
        cancel_requested=False,
        error=TaskErrorView(code=error[0], detail=error[1]) if error else None,
        edit=None,
        created_at=_WHEN,
        updated_at=_WHEN,
        started_at=_WHEN,
        finished_at=None,
        next_attempt_at=None,
    ).model_dump(mode="json")


def document_view(doc_id: str, file_name: str) -> dict[str, Any]:
    """Make a document just as the API shows it, by the API's own class."""
    return DocumentView(
        doc_id=doc_id,
        workspace="default",
        file_name=file_name,
        content_type="text/plain",
        size_bytes=1234,
        sha256="",
        chunks=None,
        latest_revision=1,
        committed_revision=0,
        state=TaskState.QUEUED,
        kind=TaskKind.INSERT,
        task_id="task-1",
        created_at=_WHEN,
        updated_at=_WHEN,
    ).model_dump(mode="json")


@dataclass
class ScriptedApi:
    """Answers each `METHOD /path` with its responses in turn; the last one stays."""

    answers: dict[str, list[httpx.Response | Exception]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)

    def on(self, route: str, *answers: httpx.Response | Exception | dict[str, Any]) -> None:
        self.answers[route] = [
            httpx.Response(200, json=one) if isinstance(one, dict) else one for one in answers
        ]

    async def handle(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        queue = self.answers[f"{request.method} {request.url.raw_path.decode().split('?')[0]}"]
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.requests]
