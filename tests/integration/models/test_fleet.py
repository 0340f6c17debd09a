"""Two processes' models with one budget between them, on a real server."""

from collections.abc import AsyncIterator

import pytest

from shared.errors import ModelRateLimitedError, ModelUnauthorizedError
from shared.rag.calls import Purpose, call_context
from shared.rag.models import Models, open_models
from shared.settings import load_settings
from tests.model_server import ModelServer


@pytest.fixture
async def fleet(fresh_valkey: str) -> AsyncIterator[tuple[ModelServer, Models, Models]]:
    with ModelServer().running() as server:
        variables = {
            "USE_EXTERNAL_STORAGE": "true",
            "BROKER_URL": fresh_valkey,
            "LLM_PROVIDER": "ollama",
            "LLM_BASE_URL": server.url,
            "LLM_MODEL": "m",
        }
        models = [open_models(load_settings(None, overrides=variables)) for _ in range(2)]
        yield server, models[0], models[1]
        for one in models:
            await one.close()


async def test_what_one_process_is_told_by_a_429_holds_for_all(
    fleet: tuple[ModelServer, Models, Models],
) -> None:
    server, one, other = fleet
    server.failure = (429, {"Retry-After": "120"}, "{}")
    with pytest.raises(ModelRateLimitedError):
        await one.complete("a prompt")
    server.failure = None
    with pytest.raises(ModelRateLimitedError) as caught:
        await other.complete("a prompt")
    assert caught.value.retry_after_s == pytest.approx(120, abs=30)
    with call_context(Purpose.QUERY, workspace="w"), pytest.raises(ModelRateLimitedError):
        await other.complete("a prompt")
    assert len(server.chats) == 1


async def test_a_key_that_is_refused_once_is_tried_by_nobody_for_a_minute(
    fleet: tuple[ModelServer, Models, Models],
) -> None:
    server, one, other = fleet
    server.failure = (401, {}, "{}")
    for models in (one, other, one):
        with pytest.raises(ModelUnauthorizedError) as caught:
            await models.complete("a prompt")
        assert caught.value.retry_after_s == pytest.approx(60, abs=30)
    assert len(server.chats) == 1
