"""One method per endpoint of the API; every refusal becomes an exception with its code."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO, Self
from urllib.parse import quote

import httpx

from ops.client.failures import ApiProblemError, ServerNotReachableError, problem_of

Json = dict[str, Any]

# Connecting is local or one hop. An answer may wait for a model, an upload for a slow disk.
_TIMEOUT = httpx.Timeout(connect=5, read=300, write=120, pool=None)
# An outage of seconds (a restart) is waited out; a longer one is the user's to know.
_UPLOAD_ATTEMPTS = 4
_LONGEST_PAUSE_S = 10.0
_FIRST_PAUSE_S = 1.0
_PAGE = 100  # the API's largest page


class ApiClient:
    """A connection to one workspace of one API.

    Every method raises ApiProblemError when the API refuses, ServerNotReachableError when no API
    answers.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str = "",
        workspace: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        headers = {"X-API-Key": key} if key else {}
        if workspace:
            headers["LIGHTRAG-WORKSPACE"] = workspace
        self.url = url.rstrip("/")
        self._has_answered = False
        self._http = httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=_TIMEOUT, transport=transport
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def describe(self) -> Json:
        """What the API says about itself: version, stores, models."""
        return await self._json("GET", "/")

    async def insert(self, path: Path, *, doc_id: str | None = None) -> Json:
        """Upload one file; an outage of some seconds is waited out without a second document.

        Returns:
            `task_id`, `doc_id` and `status_url`.
        """
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        fields = {"doc_id": doc_id} if doc_id else {}
        for attempt in range(1, _UPLOAD_ATTEMPTS):
            pause_s = _FIRST_PAUSE_S * attempt
            try:
                return await self._upload(path, fields=fields, headers=headers)
            except ApiProblemError as problem:
                if not problem.is_outage:
                    raise
                if problem.retry_after_s is not None:
                    pause_s = min(problem.retry_after_s, _LONGEST_PAUSE_S)
            except ServerNotReachableError:
                if not self._has_answered:  # more likely a wrong address than a restart
                    raise
            await asyncio.sleep(pause_s)
        return await self._upload(path, fields=fields, headers=headers)

    async def task(self, task_id: str) -> Json:
        """One task as it is now."""
        return await self._json("GET", f"/tasks/{_segment(task_id)}")

    async def cancel(self, task_id: str) -> Json:
        """Stop a task that is not being committed yet."""
        return await self._json("POST", f"/tasks/{_segment(task_id)}/cancel")

    async def retry(self, task_id: str) -> Json:
        """Start a failed or cancelled task again."""
        return await self._json("POST", f"/tasks/{_segment(task_id)}/retry")

    async def tasks(self, *, limit: int, state: str | None = None) -> list[Json]:
        """At most `limit` tasks, newest first."""
        return await self._pages("tasks", limit=limit, filters={"state": state} if state else {})

    async def documents(self, *, limit: int) -> list[Json]:
        """At most `limit` documents of the workspace."""
        return await self._pages("documents", limit=limit, filters={})

    async def delete_document(self, doc_id: str) -> Json:
        """Ask for a document's removal; the answer names the task that does it."""
        return await self._json("DELETE", f"/documents/{_segment(doc_id)}")

    async def workspaces(self, *, limit: int) -> list[Json]:
        """At most `limit` workspaces."""
        return await self._pages("workspaces", limit=limit, filters={})

    async def usage(
        self, *, limit: int, workspace: str | None, first: str | None, last: str | None
    ) -> list[Json]:
        """At most `limit` lines of what models were used for, by day."""
        filters = {"workspace": workspace, "from": first, "to": last}
        given = {name: value for name, value in filters.items() if value}
        return await self._pages("usage", limit=limit, filters=given)

    async def create_workspace(self, name: str) -> Json:
        """Make an empty workspace."""
        return await self._json("POST", "/workspaces", json={"name": name})

    async def delete_workspace(self, name: str) -> Json:
        """Remove a workspace with all its documents."""
        return await self._json("DELETE", f"/workspaces/{_segment(name)}")

    async def pause_workspace(self, name: str) -> Json:
        """Let no commit be begun; the answer tells whether one is still under way."""
        return await self._json("POST", f"/workspaces/{_segment(name)}/pause")

    async def resume_workspace(self, name: str) -> Json:
        """Let what waits be committed."""
        return await self._json("POST", f"/workspaces/{_segment(name)}/resume")

    async def query(self, question: str, *, mode: str) -> Json:
        """Ask; the answer has `response` and `references`."""
        return await self._json("POST", "/query", json={"query": question, "mode": mode})

    async def stream_query(self, question: str, *, mode: str) -> AsyncIterator[Json]:
        """Ask; first `references`, then pieces of `response`, or an `error`, as they come."""
        body = {"query": question, "mode": mode}
        async with (
            self._translated(),
            self._http.stream("POST", "/query/stream", json=body) as response,
        ):
            if response.is_error:
                await response.aread()
                raise problem_of(response)
            async for line in response.aiter_lines():
                if line.strip():
                    yield json.loads(line)

    async def _upload(self, path: Path, *, fields: dict[str, str], headers: dict[str, str]) -> Json:
        async with _opened(path) as content:
            return await self._json(
                "POST",
                "/insert",
                data=fields,
                files={"file": (path.name, content)},
                headers=headers,
            )

    async def _pages(self, kind: str, *, limit: int, filters: dict[str, str]) -> list[Json]:
        found: list[Json] = []
        cursor: str | None = None
        while len(found) < limit:
            parameters = {**filters, "limit": str(min(limit - len(found), _PAGE))}
            if cursor:
                parameters["cursor"] = cursor
            page = await self._json("GET", f"/{kind}", params=parameters)
            found.extend(page[kind])
            cursor = page.get("cursor")
            if not cursor:
                break
        return found

    async def _json(self, method: str, path: str, **request: Any) -> Json:  # noqa: ANN401 - httpx's own arguments
        async with self._translated():
            response = await self._http.request(method, path, **request)
        self._has_answered = True
        if response.is_error:
            raise problem_of(response)
        return response.json() if response.content else {}

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            raise ServerNotReachableError(self.url) from error


@asynccontextmanager
async def _opened(path: Path) -> AsyncIterator[BinaryIO]:
    opening = asyncio.create_task(asyncio.to_thread(path.open, "rb"))
    try:
        content = await asyncio.shield(opening)
    except asyncio.CancelledError:  # the thread opens it nevertheless
        (await opening).close()
        raise
    with content:
        yield content


def _segment(text: str) -> str:
    return quote(text, safe="")
