"""One pooled HTTP session to a model server, and what its refusals mean."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import Any

import aiohttp

from shared.errors import (
    AppError,
    ModelRateLimitedError,
    ModelRefusedError,
    ModelReplyUnusableError,
    ModelTooSlowError,
    ModelUnauthorizedError,
    ModelUnavailableError,
)
from shared.rag.budget.rules import RULES
from shared.rag.endpoint.outage import Outage
from shared.rag.endpoint.retry_after import retry_after_s

# A server that cannot even be reached is known soon; the reply may take its time.
_CONNECT_TIMEOUT_S = 10.0
# Below what proxies and servers usually keep, or their closing would meet our next call.
_KEEP_ALIVE_S = 15.0
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY})
_NO_ENTRY = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class Endpoint:
    """A model server: takes JSON, gives JSON.

    Args:
        base_url: the address up to and including the version, such as `https://…/v1`.
        api_key: sent as a bearer token.
        timeout_s: how long a whole reply may take; of a stream, each of its pieces.
        max_bytes: the largest reply that is read.
    """

    def __init__(self, base_url: str, *, api_key: str, timeout_s: float, max_bytes: int) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",  # a reply is small, and unpacking costs more
        }
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._session: aiohttp.ClientSession | None = None
        self.outage = Outage()

    async def post(self, path: str, body: bytes) -> dict[str, Any]:
        """Send a request and read the whole reply.

        Raises:
            ModelUnavailableError: not reachable, overloaded, or no reply of this protocol.
            ModelRateLimitedError, ModelUnauthorizedError, ModelRefusedError: as they say.
            ModelReplyUnusableError: the reply is larger than `max_bytes`.
        """
        timeout = aiohttp.ClientTimeout(total=self._timeout_s, sock_connect=_CONNECT_TIMEOUT_S)
        async with self._response(path, body, timeout) as response:
            read = bytearray()
            async for piece in response.content.iter_any():
                read += piece
                self._require_bounded(len(read))
        return parse_object(read)

    async def stream(self, path: str, body: bytes) -> AsyncGenerator[dict[str, Any], None]:
        """Send a request and read the events of the reply as they come; see `post`.

        An empty event at the end says that the server called it the end.
        """
        timeout = aiohttp.ClientTimeout(
            sock_read=self._timeout_s, sock_connect=_CONNECT_TIMEOUT_S, total=None
        )
        async with self._response(path, body, timeout) as response:
            rest, total = b"", 0
            async for piece in response.content.iter_any():
                total += len(piece)
                self._require_bounded(total)
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    if line.startswith(b"data:"):
                        event = line.removeprefix(b"data:").strip()
                        if event == b"[DONE]":
                            yield {}
                            return
                        yield parse_object(event)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def _response(
        self, path: str, body: bytes, times: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:  # made here: a session belongs to the loop that is running
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S)
            self._session = aiohttp.ClientSession(
                connector=connector, headers=self._headers, cookie_jar=aiohttp.DummyCookieJar()
            )
        with _translated_errors():
            async with self._session.post(
                self._base_url + path, data=body, timeout=times, allow_redirects=False
            ) as response:
                if response.status != HTTPStatus.OK:
                    refusal = _refusal(response)
                    if response.status not in _PASSING and not _is_server_error(response):
                        self.outage.answered()
                    raise refusal
                yield response

    def _require_bounded(self, size: int) -> None:
        if size > self._max_bytes:
            raise ModelReplyUnusableError


def parse_object(text: bytes | bytearray) -> dict[str, Any]:
    """Read a JSON object; broken UTF-8 in a long answer is no reason to lose the rest of it.

    Raises:
        ModelUnavailableError: it is none, or an error that calls itself a success.
    """
    try:
        value = json.loads(text.decode(errors="replace"))
    except (ValueError, RecursionError):
        raise ModelUnavailableError from None
    if not isinstance(value, dict) or value.get("error"):
        raise ModelUnavailableError
    return value


def _refusal(response: aiohttp.ClientResponse) -> AppError:
    """Make our error of a status; the body is not read: it may quote the prompt or the key."""
    status = response.status
    # "At once" says as little as nothing: we choose a pause then, and it grows.
    wait_s = retry_after_s(response.headers) or None
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return ModelRateLimitedError(retry_after_s=wait_s)
    if status in _NO_ENTRY:
        return ModelUnauthorizedError(retry_after_s=RULES.unauthorized_pause / 1000)
    if status in _PASSING or _is_server_error(response):
        return ModelUnavailableError(retry_after_s=wait_s)
    detail = (
        f"The model endpoint refused the request with status {status}; "
        "check LLM_MODEL, LLM_BASE_URL and EMBEDDING_MODEL."
    )
    return ModelRefusedError(detail)


def _is_server_error(response: aiohttp.ClientResponse) -> bool:
    return response.status >= HTTPStatus.INTERNAL_SERVER_ERROR


@contextmanager
def _translated_errors() -> Iterator[None]:
    # Causes are dropped: their texts may quote the address with a key, or parts of the prompt.
    try:
        yield
    except TimeoutError:
        raise ModelTooSlowError from None
    except (aiohttp.ClientError, OSError):
        raise ModelUnavailableError from None
