"""A model endpoint on loopback that speaks OpenAI's protocol, answers by rules, and misbehaves."""

import asyncio
import base64
import json
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import uvicorn
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ops.local.ports import free_port
from shared.rag.offline.language_model import OfflineLanguageModel
from tests.models import embed_by_hash

KEY = "sk-test-5e5a3e"
USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
"""What every call takes, as this server counts."""


class ModelServer:
    """Runs in a thread of its own; its attributes may be changed from any thread."""

    def __init__(self) -> None:
        self.port = free_port()
        self.failure: tuple[int, dict[str, str], str | bytes] | None = None
        """Status, headers and body of every answer while it is set."""
        self.failures_left: int | None = None
        """After so many of them it answers again; None: never."""
        self.usage: dict[str, Any] | None = USAGE
        """What it says every call took; None: nothing."""
        self.knows_base64 = True
        self.hanging = False
        """While it is set, nobody gets an answer."""
        self.finish_reason = "stop"
        self.latency_s = 0.0
        """How long every answer of the language model takes."""
        self.extractions: Counter[str] = Counter()
        """How often each API key asked for entities; a worker may have one of its own."""
        self.chats: list[dict[str, Any]] = []
        self.clients: set[int] = set()
        """The ports callers came from: one for each connection."""
        self._rules = OfflineLanguageModel()
        routes = [
            Route("/v1/chat/completions", self._chat, methods=["POST"]),
            Route("/v1/embeddings", self._embed, methods=["POST"]),
        ]
        self._server = uvicorn.Server(
            uvicorn.Config(Starlette(routes=routes), port=self.port, log_config=None, ws="none")
        )

    def variables(self, **more: str) -> dict[str, str]:
        """Settings of both models that name this server, and what else is said of both."""
        names = {"PROVIDER": "ollama", "BASE_URL": self.url, **more}
        return {
            f"{prefix}_{name}": value
            for prefix in ("LLM", "EMBEDDING")
            for name, value in {"MODEL": prefix.lower(), **names}.items()
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @contextmanager
    def running(self) -> Iterator["ModelServer"]:
        thread = threading.Thread(target=self._server.run)
        thread.start()
        try:
            while not self._server.started:
                threading.Event().wait(0.01)
            yield self
        finally:
            self.hanging = False
            self._server.should_exit = self._server.force_exit = True
            thread.join()

    async def _misbehave(self, request: Request) -> Response | None:
        if request.client is not None:
            self.clients.add(request.client.port)
        while self.hanging:  # noqa: ASYNC110 - no asyncio event crosses threads
            await asyncio.sleep(0.02)
        if self.failure is None or self.failures_left == 0:
            return None
        if self.failures_left is not None:
            self.failures_left -= 1
        status, headers, body = self.failure
        return Response(body, status, headers, "application/json")

    async def _chat(self, request: Request) -> Response:
        body = await request.json()
        self.chats.append(body)
        if (refusal := await self._misbehave(request)) is not None:
            return refusal
        messages = body["messages"]
        system = next((m["content"] for m in messages if m["role"] == "system"), None)
        if system is not None and "---Entity Types---" in system:
            self.extractions[request.headers["authorization"].removeprefix("Bearer ")] += 1
        await asyncio.sleep(self.latency_s)
        text = await self._rules.complete(messages[-1]["content"], system)
        assert isinstance(text, str)
        if body.get("stream"):
            return StreamingResponse(self._events(text), media_type="text/event-stream")
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "finish_reason": self.finish_reason, "message": message}
        return JSONResponse(_envelope("chat.completion", choices=[choice], **self._usage()))

    def _usage(self) -> dict[str, Any]:
        return {} if self.usage is None else {"usage": self.usage}

    async def _events(self, text: str) -> AsyncIterator[str]:
        for piece in text.split(" "):
            choice = {"index": 0, "finish_reason": None, "delta": {"content": f"{piece} "}}
            yield f"data: {json.dumps(_envelope('chat.completion.chunk', choices=[choice]))}\n\n"
        last = _envelope("chat.completion.chunk", choices=[], **self._usage())
        yield f"data: {json.dumps(last)}\n\n"
        yield "data: [DONE]\n\n"

    async def _embed(self, request: Request) -> Response:
        body = await request.json()
        if (refusal := await self._misbehave(request)) is not None:
            return refusal
        vectors = await embed_by_hash(body["input"], is_query=False)
        rows = [
            {"object": "embedding", "index": index, "embedding": self._written(body, vector)}
            for index, vector in enumerate(vectors)
        ]
        return JSONResponse(_envelope("list", data=rows, **self._usage()))

    def _written(self, body: dict[str, Any], vector: NDArray[np.float32]) -> str | list[float]:
        if self.knows_base64 and body.get("encoding_format") == "base64":
            return base64.b64encode(vector.astype("<f4").tobytes()).decode()
        return vector.tolist()


def _envelope(kind: str, **content: Any) -> dict[str, Any]:
    return {"id": "1", "object": kind, "created": 1, "model": "stub", **content}
