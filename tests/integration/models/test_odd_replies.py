"""What model servers and the gateways before them answer instead of a reply is an outage."""

import json

import pytest

from shared.errors import ModelRefusedError, ModelUnavailableError
from shared.rag.models import Models
from tests.integration.models.conftest import PROMPT, streamed
from tests.model_server import ModelServer


@pytest.mark.parametrize("content_type", ["application/json", "text/html"])
async def test_a_gateways_page(served: tuple[Models, ModelServer], content_type: str) -> None:
    models, server = served
    server.failure = (200, {"content-type": content_type}, "<html>Be back soon</html>")
    with pytest.raises(ModelUnavailableError):
        await models.complete(PROMPT)
    with pytest.raises(ModelUnavailableError):
        await models.embed(["a"], is_query=False)


async def test_an_error_in_the_middle_of_a_stream(served: tuple[Models, ModelServer]) -> None:
    models, server = served
    choice = {"index": 0, "finish_reason": None, "delta": {"content": "Fi"}}
    events = [{"choices": [choice]}, {"error": {"message": f"overloaded by {PROMPT}"}}]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    server.failure = (200, {"content-type": "text/event-stream"}, body)
    with pytest.raises(ModelUnavailableError) as caught:
        await streamed(models)
    assert PROMPT not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "expected"), [(503, ModelUnavailableError), (400, ModelRefusedError)]
)
async def test_a_stream_that_does_not_begin(
    served: tuple[Models, ModelServer], status: int, expected: type[Exception]
) -> None:
    models, server = served
    server.failure = (status, {"x-should-retry": "false"}, "{}")
    with pytest.raises(expected):
        await streamed(models)
