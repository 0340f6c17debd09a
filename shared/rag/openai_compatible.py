"""Models behind an OpenAI-compatible endpoint; Ark and Ollama are presets of it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import openai
from lightrag.utils import TruncatedResponse
from numpy.typing import NDArray

from shared.errors import ModelRateLimitedError, ModelRefusedError, ModelUnavailableError
from shared.settings_sections import EmbeddingSettings, LanguageModelSettings, Provider

_PRESET_URLS = {
    Provider.OPENAI: "https://api.openai.com/v1",
    Provider.ARK: "https://ark.cn-beijing.volces.com/api/v3",
    Provider.OLLAMA: "http://localhost:11434/v1",
}
_OLLAMA_KEY = "ollama"  # Ollama wants a key to be there and ignores it
# Arguments of LightRAG's calls that mean something to the endpoint; the rest steer LightRAG.
_FORWARDED = frozenset({"temperature", "top_p", "max_tokens", "max_completion_tokens", "stop"})
_EMBEDDING_MAX_TOKENS = 8192


def _client(settings: LanguageModelSettings | EmbeddingSettings) -> openai.AsyncOpenAI:
    """One client for the process: LightRAG's own makes one, with its TLS context, for each call."""
    key = settings.api_key.get_secret_value()
    return openai.AsyncOpenAI(
        base_url=settings.base_url or _PRESET_URLS[settings.provider],
        api_key=key or _OLLAMA_KEY,
        timeout=settings.timeout_s,
        max_retries=2,  # short hiccups only; outages are the task's retry decision
        http_client=openai.DefaultAioHttpClient(timeout=settings.timeout_s),
    )


class OpenAiLanguageModel:
    """Completes prompts, whole or streamed."""

    def __init__(self, settings: LanguageModelSettings) -> None:
        self.name = settings.model
        self._timeout_s = settings.timeout_s
        self._client = _client(settings)

    async def complete(
        self,
        prompt: str,
        system_prompt: str | None = None,
        history_messages: list[dict[str, Any]] | None = None,
        **options: Any,  # noqa: ANN401 - LightRAG's keyword arguments
    ) -> str | AsyncIterator[str]:
        """Answer one prompt.

        Returns:
            The text (marked when the token limit cut it off), or an iterator of its pieces
            when `stream=True`.

        Raises:
            ModelUnavailableError: not reachable, overloaded, or our rate is limited.
            ModelRefusedError: the request itself was refused.
        """
        messages: list[dict[str, Any]] = []
        if system_prompt:
            messages.append({"role": "system", "content": system_prompt})
        messages += [*(history_messages or []), {"role": "user", "content": prompt}]
        request: dict[str, Any] = {"model": self.name, "messages": messages}
        request |= {name: value for name, value in options.items() if name in _FORWARDED}
        if options.get("response_format"):
            request["response_format"] = options["response_format"]
        if options.get("stream"):
            return self._stream(request)
        with _translated_errors():
            # Retries included: LightRAG's own, longer deadline would not say whose fault it was.
            async with asyncio.timeout(self._timeout_s):
                reply = await self._client.chat.completions.create(**request)
        # Some gateways answer 200 with an error in the body, or with a page, which comes as a str.
        if not getattr(reply, "choices", None):
            raise ModelUnavailableError
        choice = reply.choices[0]
        text = choice.message.content or ""
        return TruncatedResponse(text) if choice.finish_reason == "length" else text

    async def _stream(self, request: dict[str, Any]) -> AsyncIterator[str]:
        with _translated_errors():
            stream = await self._client.chat.completions.create(**request, stream=True)
            async with stream:
                async for event in stream:
                    if event.choices and event.choices[0].delta.content:
                        yield event.choices[0].delta.content

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


class OpenAiEmbeddings:
    """Turns texts into vectors."""

    max_tokens = _EMBEDDING_MAX_TOKENS

    def __init__(self, settings: EmbeddingSettings) -> None:
        self._model = settings.model
        self._dim = settings.dim
        self._timeout_s = settings.timeout_s
        self._client = _client(settings)

    async def embed(self, texts: list[str], *, is_query: bool) -> NDArray[np.float32]:
        """Embed texts; OpenAI's models treat questions and passages alike.

        Raises:
            ModelUnavailableError: not reachable, overloaded, or our rate is limited.
            ModelRefusedError: the request was refused, or EMBEDDING_DIM is not the model's.
        """
        del is_query
        with _translated_errors():
            async with asyncio.timeout(self._timeout_s):
                reply = await self._client.embeddings.create(model=self._model, input=texts)
        vectors = np.array([row.embedding for row in reply.data], dtype=np.float32)
        if vectors.shape[-1] != self._dim:
            detail = (
                f"The embedding model answers with {vectors.shape[-1]} numbers a text, but "
                f"EMBEDDING_DIM={self._dim}; set it to what the model gives."
            )
            raise ModelRefusedError(detail)
        return vectors

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


@contextmanager
def _translated_errors() -> Iterator[None]:
    # Causes are dropped: their texts may quote the prompt or parts of the key.
    try:
        yield
    except openai.RateLimitError as error:
        raise ModelRateLimitedError(retry_after_s=_retry_after_s(error)) from None
    except (openai.APIConnectionError, openai.InternalServerError, TimeoutError):
        raise ModelUnavailableError from None
    except openai.APIStatusError as error:
        if error.status_code in {408, 409, 425}:
            raise ModelUnavailableError from None
        detail = (
            f"The model endpoint refused the request with status {error.status_code}; "
            "check LLM_MODEL, LLM_API_KEY and EMBEDDING_MODEL."
        )
        raise ModelRefusedError(detail) from None
    except (openai.APIError, ValueError, AttributeError):
        # An error in a stream, a reply cut short, or a page that the library takes for a reply.
        raise ModelUnavailableError from None


def _retry_after_s(error: openai.APIStatusError) -> float | None:
    value = error.response.headers.get("retry-after", "")
    return float(value) if value.replace(".", "", 1).isdigit() else None
