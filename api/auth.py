"""Who may use the API: with API_KEY set, those who send it, unless AUTH_MODE=none."""

import secrets

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.error_handlers import problem
from api.errors import UnauthorizedError

# Load balancers and container health checks bring no key; the two pages of documentation are the
# same for every installation. /metrics tells what is done here, so it needs the key.
OPEN_PATHS = frozenset({"/", "/livez", "/readyz", "/docs", "/openapi.json"})
_BEARER = "bearer "


class ApiKeyGuard:
    """Refuses requests without the key, before any of their body is read."""

    def __init__(self, app: ASGIApp, *, api_key: str) -> None:
        self._app = app
        self._api_key = api_key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through or answer 401."""
        if scope["type"] == "http" and not self._may_enter(scope):
            await problem(UnauthorizedError(), scope)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _may_enter(self, scope: Scope) -> bool:
        if not self._api_key or scope["path"] in OPEN_PATHS:
            return True
        return secrets.compare_digest(_sent_key(Headers(scope=scope)), self._api_key)


def _sent_key(headers: Headers) -> bytes:
    """Return the key of the request; headers travel as latin-1."""
    key = headers.get("x-api-key", "")
    authorization = headers.get("authorization", "")
    if not key and authorization.lower().startswith(_BEARER):
        key = authorization[len(_BEARER) :].strip()
    return key.encode("latin-1")
