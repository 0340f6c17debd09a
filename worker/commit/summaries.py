"""The model calls of a commit: summaries of descriptions, and nothing else."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any

from lightrag.constants import GRAPH_FIELD_SEP
from lightrag.utils import TruncatedResponse, is_truncated_response, remove_think_tags

from shared.errors import ModelRefusedError
from shared.logs import get_logger
from worker.ingestion.replies import harmless

Complete = Callable[..., Awaitable[Any]]

_log = get_logger(__name__)
# What a summary may have at most, about: LightRAG asks its model for 600 tokens.
_FALLBACK_CHARS = 4000
# Ten times what was asked for, thoughts included; the next summary's prompt repeats it.
_LONGEST_CHARS = 40_000


class ExtractionInCommitError(AssertionError):
    """The commit asked a model to extract; extraction belongs to the stages before it."""


def summaries_only(call: Complete) -> Complete:
    """Let summaries through, which bring no system prompt; extraction brings one.

    A summary that the model refuses, leaves empty, cuts off or does not end would keep an entity
    from ever being written again. Its descriptions are joined and shortened instead.

    Whoever asks in the same words as somebody before gets the same reply, also while it is on its
    way.
    """
    asked: dict[bytes, asyncio.Task[Any]] = {}

    async def guarded(prompt: str, system_prompt: str | None = None, **options: Any) -> Any:  # noqa: ANN401 - LightRAG's
        if system_prompt:
            raise ExtractionInCommitError
        key = sha256(prompt.encode()).digest()  # prompts are long, and a group has many
        if key not in asked:
            asked[key] = asyncio.create_task(summarised(prompt, options))
            # Looked at, or asyncio would log what failed in a group that is thrown away anyway.
            asked[key].add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        # Shielded: whoever gives up asking must not take the reply from the others.
        return await asyncio.shield(asked[key])

    async def summarised(prompt: str, options: dict[str, Any]) -> Any:  # noqa: ANN401 - as above
        try:
            reply = await call(prompt, **options)
        except ModelRefusedError as error:
            return _joined(prompt, reason=error.code)
        if is_truncated_response(reply):
            return _joined(prompt, reason="cut_off")
        if len(reply) > _LONGEST_CHARS:
            return _joined(prompt, reason="too_long")
        # The cache keeps the reply as it came, and a thought is no summary.
        summary = harmless(remove_think_tags(reply))
        return summary if summary.strip() else _joined(prompt, reason="empty")

    return guarded


def _joined(prompt: str, *, reason: str) -> TruncatedResponse:
    """Join the descriptions that stand in the prompt; marked as cut off, it is not cached."""
    descriptions = list(filter(None, map(_description, prompt.splitlines())))
    share = max(_FALLBACK_CHARS // max(len(descriptions), 1), 40)
    _log.warning("summary_joined", reason=reason, descriptions=len(descriptions))
    joined = GRAPH_FIELD_SEP.join(text[:share] for text in descriptions)
    return TruncatedResponse(joined[:_FALLBACK_CHARS] or "No description.")


def _description(line: str) -> str | None:
    """Read one line of the list that LightRAG puts into the prompt."""
    if not line.startswith('{"Description"'):
        return None
    try:
        described: str = json.loads(line)["Description"]
    except ValueError:
        return None
    return described
