"""The endpoint as OpenAI's own client sees it."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from bench.stub.server import create_app
from bench.stub.state import Behaviour

QUESTION: list[Any] = [{"role": "user", "content": "What of Alron?"}]


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    async with TestServer(create_app(Behaviour(chat_latency_s=0, embedding_latency_s=0))) as found:
        yield found


@pytest.fixture
async def client(server: TestServer) -> AsyncIterator[openai.AsyncOpenAI]:
    url = str(server.make_url("/v1"))
    async with openai.AsyncOpenAI(base_url=url, api_key="test", max_retries=0) as found:
        yield found


async def stats(server: TestServer) -> dict[str, Any]:
    async with ClientSession() as http, http.get(server.make_url("/stats")) as response:
        return dict(await response.json())


async def behave(server: TestServer, **wanted: object) -> int:
    async with (
        ClientSession() as http,
        http.post(server.make_url("/behaviour"), json=wanted) as response,
    ):
        return response.status


async def test_an_answer_comes_whole_and_in_pieces_and_is_the_same(
    client: openai.AsyncOpenAI,
) -> None:
    whole = await client.chat.completions.create(model="any", messages=QUESTION)
    stream = await client.chat.completions.create(model="any", messages=QUESTION, stream=True)
    pieces = [event.choices[0].delta.content or "" async for event in stream]
    assert whole.choices[0].message.content == "".join(pieces)
    assert whole.usage is not None
    assert whole.usage.prompt_tokens > 0


async def test_vectors_come_as_base64_and_as_lists(client: openai.AsyncOpenAI) -> None:
    packed = await client.embeddings.create(model="any", input=["Alron"])
    plain = await client.embeddings.create(model="any", input=["Alron"], encoding_format="float")
    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding)


async def test_calls_are_counted_by_kind_and_by_client(
    server: TestServer, client: openai.AsyncOpenAI
) -> None:
    await client.chat.completions.create(model="any", messages=QUESTION)
    await client.embeddings.create(model="any", input=["a", "b"])
    counted = await stats(server)
    assert counted["calls"] == {"answer": 1, "embed": 1}
    assert counted["clients"] == {"test": {"answer": 1, "embed": 1}}
    assert counted["texts"] == 2
    assert counted["in_flight"] == {"chat": 0, "embed": 0}


async def test_every_second_call_fails_when_it_is_told_to(
    server: TestServer, client: openai.AsyncOpenAI
) -> None:
    assert await behave(server, fail_every=2, retry_after_s=3) == 200
    await client.chat.completions.create(model="any", messages=QUESTION)
    with pytest.raises(openai.RateLimitError) as refused:
        await client.chat.completions.create(model="any", messages=QUESTION)
    assert refused.value.response.headers["Retry-After"] == "3"
    assert (await stats(server))["failed"] == 1


async def test_an_unknown_behaviour_is_refused(server: TestServer) -> None:
    assert await behave(server, speed=3) == 400
