"""Models behind an OpenAI-compatible endpoint; Ark and Ollama are presets of it.

Every call goes through the fleet's budget and is counted; what passes by itself is tried again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from lightrag.utils import TruncatedResponse

from shared.errors import ModelUnavailableError
from shared.metrics.models import observed_call
from shared.rag.budget.base import ModelBudget
from shared.rag.calls import CallContext, Urgency, current_call
from shared.rag.endpoint import chat, embedding
from shared.rag.endpoint.connection import Endpoint
from shared.rag.endpoint.tries import Tries
from shared.rag.usage import UsageMeter
from shared.settings_sections import EmbeddingSettings, LanguageModelSettings, Provider

_PRESET_URLS = {
    Provider.OPENAI: "https://api.openai.com/v1",
    Provider.ARK: "https://ark.cn-beijing.volces.com/api/v3",
    Provider.OLLAMA: "http://localhost:11434/v1",
}
_OLLAMA_KEY = "ollama"  # Ollama wants a key to be there and ignores it
_EMBEDDING_MAX_TOKENS = 8192
# No answer is as long; a server that sends more is broken, and memory is not endless.
_LARGEST_REPLY = 10 * 1024 * 1024
# Long lists of long vectors as decimal numbers, from servers that know no base64.
_LARGEST_VECTORS = 64 * 1024 * 1024
# Estimates, for the budget and for servers that do not tell: true of English and nearly of Chinese.
_BYTES_PER_TOKEN = 4
_FIRST_COMPLETION_TOKENS = 500.0
_SMOOTHING = 0.1


def endpoint_url(settings: LanguageModelSettings | EmbeddingSettings) -> str:
    """Return the address of the model's API."""
    return settings.base_url or _PRESET_URLS[settings.provider]


def _endpoint(settings: LanguageModelSettings | EmbeddingSettings, *, max_bytes: int) -> Endpoint:
    """One pool of connections: LightRAG's own client makes a TLS context for each call."""
    return Endpoint(
        endpoint_url(settings),
        api_key=settings.api_key.get_secret_value() or _OLLAMA_KEY,
        timeout_s=settings.timeout_s,
        max_bytes=max_bytes,
    )


class OpenAiLanguageModel:
    """Completes prompts, whole or streamed."""

    def __init__(
        self, settings: LanguageModelSettings, *, budget: ModelBudget, meter: UsageMeter
    ) -> None:
        self.name = settings.model
        self._endpoint = _endpoint(settings, max_bytes=_LARGEST_REPLY)
        self._budget = budget
        self._meter = meter
        self._usual_completion = _FIRST_COMPLETION_TOKENS

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
            ModelUnavailableError: not reachable, overloaded, or our rate or key is refused.
            ModelRefusedError: the request itself was refused.
            ModelReplyUnusableError: the answer is empty or far too large.
        """
        request = chat.write_request(
            self.name,
            prompt,
            system_prompt=system_prompt,
            history=history_messages,
            options=options,
        )
        # Read now: whoever reads a stream may do so in another context.
        context = current_call()
        if options.get("stream"):
            return self._stream(request, context)
        return await self._whole(request, context)

    async def close(self) -> None:
        """Close the connections, and give the budget back."""
        await self._endpoint.close()
        await self._budget.close()

    async def _whole(self, request: bytes, context: CallContext) -> str:
        tries = Tries(self._endpoint.outage)
        while True:
            async with self._budget.call(self._estimate(request), context.urgency) as call:
                try:
                    with observed_call(self.name, context.purpose.value):
                        reply = await chat.complete(self._endpoint, request)
                except ModelUnavailableError as error:
                    pause_s = tries.pause_after(error, call)
                else:
                    self._endpoint.outage.answered()
                    tokens = reply.tokens or _estimated(request, len(reply.text.encode()))
                    call.used(self._count(tokens, context))
                    return TruncatedResponse(reply.text) if reply.cut_off else reply.text
            await asyncio.sleep(pause_s)

    async def _stream(self, request: bytes, context: CallContext) -> AsyncIterator[str]:
        tries = Tries(self._endpoint.outage)
        while True:
            async with self._budget.call(self._estimate(request), context.urgency) as call:
                tokens, size = None, 0
                try:
                    async with aclosing(chat.stream(self._endpoint, request)) as pieces:
                        with observed_call(self.name, context.purpose.value):
                            async for piece in pieces:
                                tokens = piece.tokens or tokens
                                size += len(piece.text.encode(errors="replace"))
                                if piece.text:
                                    yield piece.text
                except ModelUnavailableError as error:
                    if size:  # what was said cannot be taken back
                        raise
                    pause_s = tries.pause_after(error, call)
                else:
                    self._endpoint.outage.answered()
                    call.used(self._count(tokens or _estimated(request, size), context))
                    return
            await asyncio.sleep(pause_s)

    def _estimate(self, request: bytes) -> int:
        return len(request) // _BYTES_PER_TOKEN + round(self._usual_completion)

    def _count(self, tokens: chat.Tokens, context: CallContext) -> int:
        self._usual_completion += _SMOOTHING * (tokens.completion - self._usual_completion)
        self._meter.count(
            context,
            self.name,
            prompt_tokens=tokens.prompt,
            completion_tokens=tokens.completion,
        )
        return tokens.prompt + tokens.completion


class OpenAiEmbeddings:
    """Turns texts into vectors."""

    max_tokens = _EMBEDDING_MAX_TOKENS

    def __init__(
        self, settings: EmbeddingSettings, *, budget: ModelBudget, meter: UsageMeter
    ) -> None:
        self._model = settings.model
        self._endpoint = _endpoint(settings, max_bytes=_LARGEST_VECTORS)
        self._budget = budget
        self._meter = meter

    async def embed(self, texts: list[str], *, is_query: bool) -> embedding.Vectors:
        """Embed texts; OpenAI's models treat questions and passages alike.

        Raises:
            ModelUnavailableError: not reachable, overloaded, or our rate or key is refused.
            ModelRefusedError: the request itself was refused.
            ModelReplyUnusableError: these are not the vectors of these texts.
        """
        request = embedding.write_request(self._model, texts)
        context = current_call()
        tries = Tries(self._endpoint.outage)
        estimate = len(request) // _BYTES_PER_TOKEN
        urgency = Urgency.QUERY if is_query else context.urgency
        while True:
            async with self._budget.call(estimate, urgency) as call:
                try:
                    with observed_call(self._model, context.purpose.value):
                        vectors, tokens = await embedding.embed(
                            self._endpoint, request, count=len(texts)
                        )
                except ModelUnavailableError as error:
                    pause_s = tries.pause_after(error, call)
                else:
                    self._endpoint.outage.answered()
                    tokens = estimate if tokens is None else tokens
                    call.used(tokens)
                    self._meter.count(
                        context, self._model, prompt_tokens=tokens, completion_tokens=0
                    )
                    return vectors
            await asyncio.sleep(pause_s)

    async def close(self) -> None:
        """Close the connections, and give the budget back."""
        await self._endpoint.close()
        await self._budget.close()


def _estimated(request: bytes, reply_bytes: int) -> chat.Tokens:
    return chat.Tokens(len(request) // _BYTES_PER_TOKEN, reply_bytes // _BYTES_PER_TOKEN)
