"""Answers every call that LightRAG makes of a language model, by rules."""

import asyncio
import re
from collections.abc import AsyncIterator

from shared.rag.offline import answers, keywords, prompts, summaries
from shared.rag.offline.extraction import records

_STREAM_PIECE = re.compile(r"\s*\S+\s*|\s+")


class OfflineLanguageModel:
    """Deterministic: the same prompt has the same reply in every process."""

    name = "offline-rules"

    async def complete(
        self,
        prompt: str,
        system_prompt: str | None = None,
        history_messages: list[dict[str, str]] | None = None,
        **options: object,
    ) -> str | AsyncIterator[str]:
        """Reply to a prompt; with `stream=True` in the options, as an iterator over its pieces.

        Earlier messages are not read: a continued extraction finds nothing that the first did not.
        """
        del history_messages
        reply = await asyncio.to_thread(_reply, prompt, system_prompt)
        return _pieces(reply) if options.get("stream") else reply


def _reply(prompt: str, system_prompt: str | None) -> str:
    match prompts.recognise(prompt, system_prompt):
        case prompts.Request.EXTRACTION:
            return records.extract(prompts.read_extraction(prompt, system_prompt))
        case prompts.Request.CONTINUATION:
            return records.COMPLETION_DELIMITER
        case prompts.Request.SUMMARY:
            return summaries.summarise(prompts.read_summary(prompt))
        case prompts.Request.KEYWORDS:
            return keywords.find_keywords(prompts.read_query(prompt))
        case prompts.Request.ANSWER:
            return answers.answer(prompt, system_prompt or "")
        case prompts.Request.CONVERSATION:
            return answers.converse(prompt)


async def _pieces(reply: str) -> AsyncIterator[str]:
    for piece in _STREAM_PIECE.findall(reply):
        yield piece
