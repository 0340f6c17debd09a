"""How long a model server keeps us away, and what becomes of those who wait."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import monotonic

import pytest

from shared.errors import (
    ModelRateLimitedError,
    ModelRefusedError,
    ModelTooSlowError,
    ModelUnauthorizedError,
    ModelUnavailableError,
)
from shared.rag.calls import Purpose, call_context
from shared.rag.endpoint.retry_after import retry_after_s
from shared.rag.models import Models, open_models
from shared.settings import load_settings
from tests.integration.models.conftest import PROMPT, streamed
from tests.model_server import ModelServer


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0"}])
async def test_a_hiccup_is_not_noticed(
    served: tuple[Models, ModelServer], headers: dict[str, str]
) -> None:
    models, server = served
    server.failure, server.failures_left = (502, headers, "<html>"), 2
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


async def test_a_rate_limit_that_is_over_at_once_is_waited_out_all_the_same(
    served: tuple[Models, ModelServer],
) -> None:
    models, server = served
    server.failure, server.failures_left = (429, {"Retry-After": "0"}, "{}"), 1
    before_s = monotonic()
    assert await models.complete(PROMPT)
    assert monotonic() - before_s >= 1


async def test_a_server_that_is_away_at_once_again_is_not_asked_without_a_pause(
    served: tuple[Models, ModelServer],
) -> None:
    models, server = served
    server.failure = (503, {"Retry-After": "0"}, "{}")
    with pytest.raises(ModelUnavailableError) as caught:
        await models.complete(PROMPT)
    assert caught.value.retry_after_s is None  # then pauses grow


async def test_a_server_that_answers_nobody_is_left_alone_by_all(
    served: tuple[Models, ModelServer],
) -> None:
    models, server = served
    server.failure = (503, {"Retry-After": "20"}, "{}")
    for _ in range(10):
        with pytest.raises(ModelUnavailableError):
            await models.complete(PROMPT)
    asked = len(server.chats)
    with (
        call_context(Purpose.QUERY, workspace="w"),
        pytest.raises(ModelUnavailableError) as caught,
    ):
        await models.complete(PROMPT)
    assert caught.value.retry_after_s == pytest.approx(20, abs=5)
    assert len(server.chats) == asked


async def test_one_text_that_cannot_be_answered_keeps_nobody_away(
    served: tuple[Models, ModelServer],
) -> None:
    models, server = served
    for _ in range(12):
        server.failure, server.failures_left = (503, {"Retry-After": "600"}, "{}"), 1
        with pytest.raises(ModelUnavailableError):
            await models.complete(PROMPT)
        assert await models.complete(PROMPT)


async def test_refusals_are_answers(served: tuple[Models, ModelServer]) -> None:
    models, server = served
    for status in [503, 400] * 12:
        server.failure = (status, {"Retry-After": "600"}, "{}")
        with pytest.raises(ModelRefusedError if status == 400 else ModelUnavailableError):
            await models.complete(PROMPT)
    server.failure = None
    assert await models.complete(PROMPT)


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
        ({"retry-after": "1e308"}, 7 * 86_400),
        ({"retry-after-ms": "1e308"}, 7 * 86_400),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_a_number_or_a_date(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after_s(headers) == expected
