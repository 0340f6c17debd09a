"""The endpoint: chat completions, embeddings, and what a benchmark wants to know and to set."""

import asyncio
import json
from dataclasses import asdict
from typing import Any

from aiohttp import web

from bench.stub.replies import Kind, kind_of, reply_to
from bench.stub.state import BYTES_PER_TOKEN, Behaviour, Counts
from bench.stub.vectors import embed, encoded

_MAX_BODY_BYTES = 64 << 20
_STREAM_PIECE_CHARS = 40
_JSON = "application/json"


def create_app(behaviour: Behaviour) -> web.Application:
    """Assemble the endpoint."""
    stub = _Stub(behaviour)
    app = web.Application(client_max_size=_MAX_BODY_BYTES)
    app.add_routes(
        [
            web.post("/v1/chat/completions", stub.chat),
            web.post("/v1/embeddings", stub.embeddings),
            web.get("/stats", stub.stats),
            web.post("/reset", stub.reset),
            web.post("/behaviour", stub.behave),
        ]
    )
    return app


class _Stub:
    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._counts = Counts()

    async def chat(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self._counts.enter("chat")
        try:
            await asyncio.sleep(self._behaviour.chat_latency_s)
        finally:
            self._counts.leave("chat")
        if (refusal := self._refusal()) is not None:
            return refusal
        body = json.loads(raw)
        kind = kind_of(body["messages"])
        reply = reply_to(kind, body["messages"])
        self._counts.answered(kind, _client(request))
        prompt_tokens = len(raw) // BYTES_PER_TOKEN
        completion_tokens = len(reply.encode()) // BYTES_PER_TOKEN
        self._counts.prompt_tokens += prompt_tokens
        self._counts.completion_tokens += completion_tokens
        usage = _usage(prompt_tokens, completion_tokens)
        if body.get("stream"):
            return await _streamed(request, reply, usage)
        message = {"role": "assistant", "content": reply}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        answer = _envelope("chat.completion", choices=[choice], usage=usage)
        return web.Response(text=json.dumps(answer), content_type=_JSON)

    async def embeddings(self, request: web.Request) -> web.Response:
        raw = await request.read()
        self._counts.enter("embed")
        try:
            await asyncio.sleep(self._behaviour.embedding_latency_s)
        finally:
            self._counts.leave("embed")
        if (refusal := self._refusal()) is not None:
            return refusal
        body = json.loads(raw)
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        self._counts.answered(Kind.EMBED, _client(request))
        self._counts.texts += len(texts)
        tokens = len(raw) // BYTES_PER_TOKEN
        self._counts.prompt_tokens += tokens
        dimension = self._behaviour.dimension
        if body.get("encoding_format") == "base64":
            vectors = [f'"{encoded(text, dimension)}"' for text in texts]
        else:
            vectors = [json.dumps(embed(text, dimension).tolist()) for text in texts]
        # Written by hand: the vectors are most of it, and are JSON already.
        rows = ",".join(
            f'{{"object":"embedding","index":{index},"embedding":{vector}}}'
            for index, vector in enumerate(vectors)
        )
        usage = json.dumps(_usage(tokens, 0))
        text = f'{{"object":"list","model":"stub","data":[{rows}],"usage":{usage}}}'
        return web.Response(text=text, content_type=_JSON)

    async def stats(self, _request: web.Request) -> web.Response:
        return web.json_response(vars(self._counts))

    async def reset(self, _request: web.Request) -> web.Response:
        self._counts.reset()
        return web.json_response({})

    async def behave(self, request: web.Request) -> web.Response:
        try:
            self._behaviour.change(await request.json())
        except KeyError as error:
            return web.json_response({"error": f"no such field: {error}"}, status=400)
        return web.json_response(asdict(self._behaviour))

    def _refusal(self) -> web.Response | None:
        self._counts.arrived += 1
        every = self._behaviour.fail_every
        if not every or self._counts.arrived % every:
            return None
        self._counts.failed += 1
        wait_s = self._behaviour.retry_after_s
        headers = {} if wait_s is None else {"Retry-After": f"{wait_s:g}"}
        error = {"message": "told to fail", "type": "stub", "code": "told_to_fail"}
        status = self._behaviour.fail_status
        return web.json_response({"error": error}, status=status, headers=headers)


async def _streamed(request: web.Request, reply: str, usage: dict[str, int]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for start in range(0, len(reply), _STREAM_PIECE_CHARS):
        delta = {"role": "assistant", "content": reply[start : start + _STREAM_PIECE_CHARS]}
        await response.write(_event([{"index": 0, "delta": delta, "finish_reason": None}], None))
    end = [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    await response.write(_event(end, usage) + b"data: [DONE]\n\n")
    await response.write_eof()
    return response


def _event(choices: list[dict[str, Any]], usage: dict[str, int] | None) -> bytes:
    chunk = _envelope("chat.completion.chunk", choices=choices, usage=usage)
    return f"data: {json.dumps(chunk)}\n\n".encode()


def _usage(prompt_tokens: int, completion_tokens: int) -> dict[str, int]:
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


def _envelope(kind: str, **content: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"id": "stub", "object": kind, "created": 1, "model": "stub", **content}


def _client(request: web.Request) -> str:
    """Processes tell who they are by their key."""
    return request.headers.get("Authorization", "").removeprefix("Bearer ") or "unknown"
