"""What a model server may send instead of an answer, and what becomes of it."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import numpy as np
import pytest
from lightrag.utils import TruncatedResponse

from shared.errors import (
    ModelRateLimitedError,
    ModelReplyUnusableError,
    ModelTooSlowError,
    ModelUnauthorizedError,
    ModelUnavailableError,
)
from shared.rag.calls import Purpose, call_context
from shared.rag.endpoint.retry_after import retry_after_s
from shared.rag.models import Models, open_models
from shared.settings import load_settings
from tests.model_server import ModelServer
from tests.models import embed_by_hash

PROMPT = "the prompt nobody may see"
JSON = {"content-type": "application/json"}


def message(**fields: object) -> bytes:
    choice = {"index": 0, "finish_reason": "stop", "message": {"content": "fine"} | fields}
    return json.dumps({"choices": [choice]}).encode()


@pytest.fixture
async def served() -> AsyncIterator[tuple[Models, ModelServer]]:
    with ModelServer().running() as server:
        variables = {
            f"{prefix}_{name}": value
            for prefix in ("LLM", "EMBEDDING")
            for name, value in {
                "PROVIDER": "ollama",
                "BASE_URL": server.url,
                "MODEL": "m",
                "TIMEOUT_S": "20",
            }.items()
        }
        models = open_models(load_settings(None, overrides=variables))
        yield models, server
        await models.close()


async def streamed(models: Models) -> str:
    reply = await models.complete(PROMPT, stream=True)
    assert not isinstance(reply, str)
    return "".join([piece async for piece in reply])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00garbage",
        b"[]",
        b"null",
        b'{"choices": []}',
        b'{"choices": [{"message": "text"}]}',
        b'{"choices": [{"message": {"content": ["parts"]}}]}',
        b'{"choices": {"0": 1}}',
        b'{"choices": [{"message": {"content": "half',
        b"[" * 100_000,
    ],
)
async def test_garbage_is_an_outage(served: tuple[Models, ModelServer], body: bytes) -> None:
    models, server = served
    server.failure = (200, JSON, body)
    with pytest.raises(ModelUnavailableError):
        await models.complete(PROMPT)
    with pytest.raises(ModelUnavailableError):
        await streamed(models)


@pytest.mark.parametrize("content", [None, "", " \n"])
async def test_an_empty_answer_is_no_answer(
    served: tuple[Models, ModelServer], content: str | None
) -> None:
    models, server = served
    server.failure = (200, JSON, message(content=content))
    with pytest.raises(ModelReplyUnusableError):
        await models.complete(PROMPT)


async def test_a_stream_that_says_nothing_is_no_answer(
    served: tuple[Models, ModelServer],
) -> None:
    models, server = served
    server.failure = (200, {"content-type": "text/event-stream"}, "data: [DONE]\n\n")
    with pytest.raises(ModelReplyUnusableError):
        await streamed(models)


async def test_an_answer_of_ten_megabytes_is_not_read(
    served: tuple[Models, ModelServer],
) -> None:
    models, server = served
    server.failure = (200, JSON, message(content="x" * 10 * 1024 * 1024))
    for asking in (models.complete(PROMPT), streamed(models)):
        with pytest.raises(ModelReplyUnusableError):
            await asking


async def test_broken_characters_do_not_lose_the_answer(
    served: tuple[Models, ModelServer],
) -> None:
    models, server = served
    server.failure = (200, JSON, message(content="so far @ and on").replace(b"@", b"\xc3\x28\xff"))
    assert await models.complete(PROMPT) == "so far \ufffd(\ufffd and on"


async def test_half_a_character_can_be_stored(served: tuple[Models, ModelServer]) -> None:
    models, server = served
    server.failure = (200, JSON, message(content="@").replace(b"@", b"\\ud83d and \\u6e05"))
    assert await models.complete(PROMPT) == "? and 清"


async def test_half_a_character_can_be_sent(served: tuple[Models, ModelServer]) -> None:
    models, server = served
    assert await models.complete("清 \ud83d")
    assert server.chats[0]["messages"][-1]["content"] == "清 ?"


async def test_a_reply_whose_end_is_missing_is_an_outage(
    served: tuple[Models, ModelServer],
) -> None:
    models, server = served
    server.failure = (200, JSON | {"content-length": "9999"}, message())
    with pytest.raises(ModelUnavailableError):
        await models.complete(PROMPT)


async def test_a_stream_whose_end_is_missing_is_an_outage(
    served: tuple[Models, ModelServer],
) -> None:
    models, server = served
    choice = {"index": 0, "finish_reason": None, "delta": {"content": "Fi"}}
    event = f"data: {json.dumps({'choices': [choice]})}\n\n"
    server.failure = (200, {"content-type": "text/event-stream"}, event)
    with pytest.raises(ModelUnavailableError):
        await streamed(models)


async def test_an_answer_cut_off_before_its_first_word_says_so(
    served: tuple[Models, ModelServer],
) -> None:
    models, server = served
    body = message(content="").replace(b'"stop"', b'"length"')
    server.failure = (200, JSON, body)
    assert isinstance(await models.complete(PROMPT), TruncatedResponse)


async def test_a_hiccup_is_not_noticed(served: tuple[Models, ModelServer]) -> None:
    models, server = served
    server.failure, server.failures_left = (502, {}, "<html>"), 2
    assert await models.complete(PROMPT)
    server.failures_left = 2
    assert await streamed(models)
    server.failures_left = 2
    assert len(await models.embed(["a"], is_query=False)) == 1


async def test_a_rate_limit_is_waited_out(served: tuple[Models, ModelServer]) -> None:
    models, server = served
    server.failure, server.failures_left = (429, {"Retry-After": "0.2"}, "{}"), 3
    assert await models.complete(PROMPT)
    assert len(server.chats) == 4


async def test_a_long_rate_limit_is_the_tasks_to_wait_for(
    served: tuple[Models, ModelServer],
) -> None:
    models, server = served
    server.failure = (429, {"Retry-After": "300"}, "{}")
    for _ in range(2):
        with pytest.raises(ModelRateLimitedError) as caught:
            await models.complete(PROMPT)
        assert caught.value.retry_after_s == pytest.approx(300, abs=30)
    assert len(server.chats) == 1


async def test_a_refused_key_is_not_tried_again_at_once(
    served: tuple[Models, ModelServer],
) -> None:
    models, server = served
    server.failure = (401, {}, "{}")
    for _ in range(3):
        with pytest.raises(ModelUnauthorizedError):
            await models.complete(PROMPT)
    with call_context(Purpose.QUERY, workspace="w"), pytest.raises(ModelUnauthorizedError):
        await streamed(models)
    assert len(server.chats) == 1


async def test_a_server_that_hangs_is_not_asked_again_at_once(
    served: tuple[Models, ModelServer],
) -> None:
    _, server = served
    variables = {"PROVIDER": "ollama", "BASE_URL": server.url, "MODEL": "m", "TIMEOUT_S": "0.2"}
    models = open_models(
        load_settings(None, overrides={f"LLM_{name}": value for name, value in variables.items()})
    )
    server.hanging = True
    for asking in (models.complete(PROMPT), streamed(models)):
        before = len(server.chats)
        with pytest.raises(ModelTooSlowError):
            await asking
        assert len(server.chats) - before <= 1
    await models.close()


@pytest.mark.parametrize("base64", [True, False])
async def test_vectors_come_as_base64_or_as_lists(
    served: tuple[Models, ModelServer], base64: bool
) -> None:
    models, server = served
    server.knows_base64 = base64
    expected = await embed_by_hash(["a", "b"], is_query=False)
    vectors = await models.embed(["a", "b"], is_query=False)
    assert vectors.dtype == np.float32
    assert np.array_equal(vectors, expected)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], ModelReplyUnusableError),
        ([{"index": 0, "embedding": [0.1] * 384}], ModelReplyUnusableError),
        (
            [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1, 2]}],
            ModelUnavailableError,
        ),
        ([{"index": 0, "embedding": "%%%"}, {"index": 1, "embedding": "="}], ModelUnavailableError),
        ([{"embedding": [1]}, {"embedding": [2]}], ModelUnavailableError),
        ("rows", ModelUnavailableError),
    ],
)
async def test_vectors_that_are_not_those_of_the_texts_are_not_taken(
    served: tuple[Models, ModelServer], rows: object, expected: type[Exception]
) -> None:
    models, server = served
    server.failure = (200, JSON, json.dumps({"data": rows}))
    with pytest.raises(expected):
        await models.embed(["a", "b"], is_query=False)


NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        (
            {
                "retry-after": format_datetime(NOW + timedelta(seconds=90), usegmt=True),
                "date": format_datetime(NOW, usegmt=True),
            },
            90,
        ),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_a_number_or_a_date(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after_s(headers) == expected
