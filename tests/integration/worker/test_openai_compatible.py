"""The OpenAI-compatible provider against a real endpoint on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from lightrag.utils import TruncatedResponse

from shared.errors import (
    AppError,
    EmbeddingDimensionError,
    ModelRateLimitedError,
    ModelRefusedError,
    ModelUnauthorizedError,
    ModelUnavailableError,
)
from shared.ids import PhysicalWorkspace
from shared.rag.engine import build_rag
from shared.rag.models import Models, open_models
from shared.settings import Settings, load_settings
from tests.model_server import KEY, ModelServer

PROMPT = "the prompt nobody may see"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer().running() as running:
        yield running


def settings_for(server: ModelServer, folder: Path, **overrides: str) -> Settings:
    return load_settings(
        None,
        overrides={
            "DATA_DIR": str(folder),
            "USE_EXTERNAL_STORAGE": "false",
            **{
                f"{prefix}_{name}": value
                for prefix in ("LLM", "EMBEDDING")
                for name, value in {
                    "PROVIDER": "openai",
                    "BASE_URL": server.url,
                    "API_KEY": KEY,
                    "MODEL": "stub",
                    "TIMEOUT_S": "20",
                }.items()
            },
            **overrides,
        },
    )


@pytest.fixture
async def models(server: ModelServer, tmp_path: Path) -> AsyncIterator[Models]:
    opened = open_models(settings_for(server, tmp_path))
    yield opened
    await opened.close()


async def test_a_prompt_gets_its_text(models: Models, server: ModelServer) -> None:
    history = [{"role": "user", "content": "before"}]
    reply = await models.complete(
        PROMPT, "be brief", history_messages=history, temperature=0.5, hashing_kv=object()
    )
    assert isinstance(reply, str)
    assert reply
    assert not isinstance(reply, TruncatedResponse)
    sent = server.chats[0]
    assert [m["role"] for m in sent["messages"]] == ["system", "user", "user"]
    assert (sent["temperature"], "hashing_kv" in sent) == (0.5, False)


async def test_a_stream_comes_in_pieces(models: Models, server: ModelServer) -> None:
    reply = await models.complete(PROMPT, stream=True)
    assert not isinstance(reply, str)
    pieces = [piece async for piece in reply]
    assert len(pieces) > 1
    assert "".join(pieces).strip() == await models.complete(PROMPT)


async def test_a_reply_that_was_cut_off_says_so(models: Models, server: ModelServer) -> None:
    server.finish_reason = "length"
    assert isinstance(await models.complete(PROMPT), TruncatedResponse)


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (429, {"Retry-After": "0.1"}, ModelRateLimitedError),
        (500, {}, ModelUnavailableError),
        (503, {}, ModelUnavailableError),
        (408, {}, ModelUnavailableError),
        (400, {}, ModelRefusedError),
        (401, {}, ModelUnauthorizedError),
        (403, {}, ModelUnauthorizedError),
        (404, {}, ModelRefusedError),
    ],
)
async def test_every_refusal_has_its_kind_and_betrays_nothing(
    models: Models,
    server: ModelServer,
    status: int,
    headers: dict[str, str],
    expected: type[AppError],
) -> None:
    body = {"error": {"message": f"bad key {KEY} in {PROMPT}"}}
    server.failure = (status, headers, json.dumps(body))
    for call in (models.complete(PROMPT), models.embed([PROMPT], is_query=False)):
        with pytest.raises(AppError) as caught:
            await call
        assert type(caught.value) is expected
        told = f"{caught.value} {caught.value.detail} {caught.value.__cause__}"
        assert KEY not in told
        assert PROMPT not in told
    if status == 429:
        assert caught.value.retry_after_s == 0.1


async def test_an_endpoint_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    with ModelServer().running() as server:
        settings = settings_for(server, tmp_path)
    models = open_models(settings)
    with pytest.raises(ModelUnavailableError):
        await models.complete(PROMPT)
    await models.close()


async def test_an_endpoint_that_hangs_is_unavailable(server: ModelServer, tmp_path: Path) -> None:
    models = open_models(settings_for(server, tmp_path, LLM_TIMEOUT_S="0.3"))
    server.hanging = True
    with pytest.raises(ModelUnavailableError):
        await models.complete(PROMPT)
    await models.close()


@pytest.mark.parametrize("body", ['{"error": "overloaded"}', "<html>gateway</html>"])
async def test_an_error_that_calls_itself_a_success_is_unavailable(
    models: Models, server: ModelServer, body: str
) -> None:
    server.failure = (200, {}, body)
    with pytest.raises(ModelUnavailableError):
        await models.complete(PROMPT)


async def test_a_dimension_that_is_not_the_models_is_refused(
    server: ModelServer, tmp_path: Path
) -> None:
    settings = settings_for(server, tmp_path, EMBEDDING_DIM="192")  # half of what the model gives
    models = open_models(settings)
    rag = build_rag(settings, models, workspace=PhysicalWorkspace("misfit"))
    with pytest.raises(EmbeddingDimensionError, match="EMBEDDING_DIM=192"):
        await rag.embedding_func(["text"], context="document")
    await models.close()


async def test_calls_one_after_another_share_a_connection(
    models: Models, server: ModelServer
) -> None:
    for _ in range(5):
        await models.complete(PROMPT)
    assert len(server.clients) == 1
    await asyncio.gather(*(models.complete(PROMPT) for _ in range(4)))
    assert len(server.clients) <= 4


async def test_lightrag_copies_no_client(server: ModelServer, tmp_path: Path) -> None:
    settings = settings_for(server, tmp_path)
    models = open_models(settings)
    rag = build_rag(settings, models, workspace=PhysicalWorkspace("copied"))
    assert rag._build_global_config()["llm_model_func"] is rag.llm_model_func
    await models.close()
