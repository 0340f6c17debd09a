"""A model server that misbehaves, and our models before it."""

from collections.abc import AsyncIterator

import pytest

from shared.rag.models import Models, open_models
from shared.settings import load_settings
from tests.model_server import ModelServer

PROMPT = "the prompt nobody may see"


@pytest.fixture
async def served() -> AsyncIterator[tuple[Models, ModelServer]]:
    with ModelServer().running() as server:
        variables = server.variables(TIMEOUT_S="20")
        models = open_models(load_settings(None, overrides=variables))
        yield models, server
        await models.close()


async def streamed(models: Models) -> str:
    reply = await models.complete(PROMPT, stream=True)
    assert not isinstance(reply, str)
    return "".join([piece async for piece in reply])
