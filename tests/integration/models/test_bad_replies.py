"""What a model server may send instead of an answer, and what becomes of it."""

import json

import numpy as np
import pytest
from lightrag.utils import TruncatedResponse

from shared.errors import ModelReplyUnusableError, ModelUnavailableError
from shared.rag.models import Models
from tests.integration.models.conftest import PROMPT, streamed
from tests.model_server import ModelServer
from tests.models import embed_by_hash

JSON = {"content-type": "application/json"}


def message(**fields: object) -> bytes:
    choice = {"index": 0, "finish_reason": "stop", "message": {"content": "fine"} | fields}
    return json.dumps({"choices": [choice]}).encode()


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
