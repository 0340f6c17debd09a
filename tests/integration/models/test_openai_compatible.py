"""The client of model servers, against a server of their protocol that can misbehave."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from lightrag.utils import TruncatedResponse

from shared.errors import (
    AppError,
    ModelRateLimitedError,
    ModelRefusedError,
    ModelUnavailableError,
)
from shared.rag.models import Models, open_models
from shared.settings import load_settings

KEY = "key-that-nobody-may-see"
PROMPT = "prompt-that-nobody-may-see"


@dataclass(frozen=True)
class Reply:
    body: str
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class ModelServer:
    """Gives every call the same reply and keeps what was asked."""

    reply: Reply = field(default_factory=lambda: completion("Fine."))
    asked: list[dict[str, object]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(await request.json())
        self.keys.append(request.headers["authorization"])
        return web.Response(
            text=self.reply.body,
            status=self.reply.status,
            content_type=self.reply.content_type,
            # Its own retries wait for seconds; what is tested is what comes after them.
            headers={"x-should-retry": "false", **self.reply.headers},
        )


def completion(text: str, *, reason: str = "stop") -> Reply:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": reason}
    head = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
    return Reply(json.dumps({**head, "choices": [choice]}))


def stream(*events: dict[str, object]) -> Reply:
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    return Reply("".join([*lines, "data: [DONE]\n\n"]), content_type="text/event-stream")


def piece(text: str) -> dict[str, object]:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**head, "choices": [choice]}


@pytest.fixture
def server() -> ModelServer:
    return ModelServer()


@pytest.fixture
async def models(server: ModelServer) -> AsyncIterator[Models]:
    app = web.Application()
    app.router.add_post("/v1/{path:.*}", server.handle)
    async with TestServer(app) as running:
        url = str(running.make_url("/v1"))
        variables = {
            "LLM_PROVIDER": "ollama",
            "LLM_MODEL": "m",
            "LLM_BASE_URL": url,
            "EMBEDDING_PROVIDER": "ollama",
            "EMBEDDING_MODEL": "e",
            "EMBEDDING_BASE_URL": url,
            "EMBEDDING_DIM": "2",
        }
        opened = open_models(load_settings(None, overrides=variables))
        yield opened
        await opened.close()


async def complete(models: Models, **options: object) -> str:
    reply = await models.complete(PROMPT, **options)
    return reply if isinstance(reply, str) else "".join([part async for part in reply])


async def test_a_prompt_is_sent_as_messages_with_only_the_options_that_servers_know(
    models: Models, server: ModelServer
) -> None:
    history = [{"role": "assistant", "content": "before"}]
    reply = await complete(
        models, system_prompt="s", history_messages=history, temperature=0.5, hashing_kv=object()
    )
    assert reply == "Fine."
    assert server.asked == [
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "s"},
                *history,
                {"role": "user", "content": PROMPT},
            ],
            "temperature": 0.5,
        }
    ]


async def test_a_reply_that_the_token_limit_cut_is_marked(
    models: Models, server: ModelServer
) -> None:
    assert not isinstance(await complete(models), TruncatedResponse)
    server.reply = completion("Fi", reason="length")
    assert isinstance(await complete(models), TruncatedResponse)


async def test_a_stream_comes_in_pieces(models: Models, server: ModelServer) -> None:
    server.reply = stream(piece("Fi"), {**piece(""), "choices": []}, piece("ne."))
    assert await complete(models, stream=True) == "Fine."
    assert server.asked[0]["stream"] is True


async def test_embeddings_are_rows_in_the_order_of_the_texts(
    models: Models, server: ModelServer
) -> None:
    rows = [{"object": "embedding", "index": at, "embedding": [at, 0.5]} for at in range(2)]
    server.reply = Reply(json.dumps({"object": "list", "model": "e", "data": rows}))
    assert (await models.embed(["a", "b"], is_query=True)).tolist() == [[0, 0.5], [1, 0.5]]


async def test_embeddings_of_another_dimension_are_refused_by_name(
    models: Models, server: ModelServer
) -> None:
    row = {"object": "embedding", "index": 0, "embedding": [0.5, 0.5, 0.5]}
    server.reply = Reply(json.dumps({"object": "list", "model": "e", "data": [row]}))
    with pytest.raises(ModelRefusedError, match="3 numbers a text, but EMBEDDING_DIM=2"):
        await models.embed(["a"], is_query=False)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (429, ModelRateLimitedError),
        (500, ModelUnavailableError),
        (503, ModelUnavailableError),
        (408, ModelUnavailableError),
        (400, ModelRefusedError),
        (401, ModelRefusedError),
        (404, ModelRefusedError),
    ],
)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_a_status_becomes_an_error_of_ours_that_quotes_nothing(
    models: Models, server: ModelServer, status: int, expected: type[AppError], streamed: bool
) -> None:
    quoted = {"error": {"message": f"cannot do {PROMPT}, {KEY}"}}
    server.reply = Reply(json.dumps(quoted), status=status)
    with pytest.raises(expected) as failed:
        await complete(models, stream=streamed)
    assert type(failed.value) is expected
    assert PROMPT not in str(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__


async def test_a_limited_rate_tells_how_long_to_wait(models: Models, server: ModelServer) -> None:
    server.reply = Reply("{}", status=429, headers={"retry-after": "17"})
    with pytest.raises(ModelRateLimitedError) as limited:
        await complete(models)
    assert limited.value.retry_after_s == 17.0


async def test_an_error_in_the_middle_of_a_stream_is_an_outage(
    models: Models, server: ModelServer
) -> None:
    server.reply = stream(piece("Fi"), {"error": {"message": f"overloaded by {PROMPT}"}})
    with pytest.raises(ModelUnavailableError) as failed:
        await complete(models, stream=True)
    assert PROMPT not in str(failed.value)


async def test_a_reply_without_an_answer_is_an_outage(models: Models, server: ModelServer) -> None:
    server.reply = Reply(json.dumps({**json.loads(completion("").body), "choices": []}))
    with pytest.raises(ModelUnavailableError):
        await complete(models)


@pytest.mark.parametrize("content_type", ["application/json", "text/html"])
async def test_a_page_instead_of_a_reply_is_an_outage(
    models: Models, server: ModelServer, content_type: str
) -> None:
    server.reply = Reply("<html>Be back soon</html>", content_type=content_type)
    with pytest.raises(ModelUnavailableError):
        await complete(models)
    with pytest.raises(ModelUnavailableError):
        await models.embed(["a"], is_query=False)


async def test_a_server_that_is_not_there_is_an_outage() -> None:
    variables = {"LLM_PROVIDER": "ollama", "LLM_MODEL": "m", "LLM_BASE_URL": "http://127.0.0.1:1"}
    models = open_models(load_settings(None, overrides=variables))
    try:
        with pytest.raises(ModelUnavailableError):
            await complete(models)
    finally:
        await models.close()
