"""Chat completions: the request, and what a reply says."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from shared.errors import ModelReplyUnusableError, ModelUnavailableError
from shared.rag.endpoint.connection import Endpoint
from shared.rag.endpoint.counts import told_tokens

_PATH = "/chat/completions"
# Arguments of LightRAG's calls that mean something to the endpoint; the rest steer LightRAG.
_FORWARDED = frozenset(
    {"temperature", "top_p", "max_tokens", "max_completion_tokens", "stop", "response_format"}
)


@dataclass(frozen=True)
class Tokens:
    """What a call took, as the endpoint counts."""

    prompt: int
    completion: int


@dataclass(frozen=True)
class Reply:
    """A whole answer; `cut_off` when the token limit ended it, `tokens` when it tells them."""

    text: str
    cut_off: bool
    tokens: Tokens | None


@dataclass(frozen=True)
class Piece:
    """A part of a streamed answer; the last one may bring the tokens."""

    text: str
    tokens: Tokens | None


def write_request(
    model: str,
    prompt: str,
    *,
    system_prompt: str | None,
    history: list[dict[str, Any]] | None,
    options: dict[str, Any],
) -> bytes:
    """Write the body of a request, once for all of its attempts."""
    messages: list[dict[str, Any]] = []
    if system_prompt:
        messages.append({"role": "system", "content": system_prompt})
    messages += [*(history or []), {"role": "user", "content": prompt}]
    request: dict[str, Any] = {"model": model, "messages": messages}
    request |= {
        name: value for name, value in options.items() if name in _FORWARDED and value is not None
    }
    if options.get("stream"):
        request |= {"stream": True, "stream_options": {"include_usage": True}}
    # Not as \u escapes, which make Chinese twice as long; half characters cannot be sent.
    return json.dumps(request, ensure_ascii=False).encode(errors="replace")


async def complete(endpoint: Endpoint, request: bytes) -> Reply:
    """Get a whole answer.

    Raises:
        ModelReplyUnusableError: there is nothing in it.
        ModelUnavailableError: it is no answer at all; for the rest see `Endpoint.post`.
    """
    body = await endpoint.post(_PATH, request)
    try:
        choice = body["choices"][0]
        text = choice["message"].get("content") or ""
        cut_off = choice.get("finish_reason") == "length"
        whole = _storable(text)
    except (LookupError, TypeError, AttributeError):
        raise ModelUnavailableError from None
    if not whole.strip() and not cut_off:
        raise ModelReplyUnusableError
    return Reply(whole, cut_off, _tokens(body))


async def stream(endpoint: Endpoint, request: bytes) -> AsyncGenerator[Piece, None]:
    """Get an answer in pieces; see `complete`. One that breaks off is an outage."""
    ended = said_something = False
    async with aclosing(endpoint.stream(_PATH, request)) as events:
        async for event in events:
            piece, is_last = _read_event(event)
            ended = ended or is_last
            said_something = said_something or bool(piece.text)
            if piece.text or piece.tokens:
                yield piece
    if not ended:
        raise ModelUnavailableError
    if not said_something:
        raise ModelReplyUnusableError


def _read_event(event: dict[str, Any]) -> tuple[Piece, bool]:
    """Read one event of a stream; True when it says that the answer ends here."""
    try:
        choices = event.get("choices")
        text = (choices[0]["delta"].get("content") or "") if choices else ""
        is_last = not event or bool(choices and choices[0].get("finish_reason"))
    except (LookupError, TypeError, AttributeError):
        raise ModelUnavailableError from None
    if not isinstance(text, str):
        raise ModelUnavailableError
    return Piece(text, _tokens(event)), is_last


def _storable(text: str) -> str:
    # A reply may hold half a character as an escape, which no store takes.
    return text if text.isascii() else text.encode(errors="replace").decode()


def _tokens(body: dict[str, Any]) -> Tokens | None:
    prompt = told_tokens(body, "prompt_tokens")
    if prompt is None:
        return None
    return Tokens(prompt, told_tokens(body, "completion_tokens") or 0)
