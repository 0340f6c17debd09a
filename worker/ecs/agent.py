"""Asks the ECS agent that this container's task be spared, or not, when tasks are taken away.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
"""

import json
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

# Asked for again long before; this bounds how long a process that hangs stays protected.
PROTECTED_FOR_MINUTES = 10
# The agent passes the question on to ECS; its own time limit for that is not documented.
_TIMEOUT_S = 10.0


class EcsAgent:
    """The agent at the address that ECS put into `ECS_AGENT_URI`."""

    def __init__(self, agent_uri: str) -> None:
        self._address = f"{agent_uri.rstrip('/')}/task-protection/v1/state"
        # The address is link-local: no proxy that the environment names can reach it.
        self._opener = build_opener(ProxyHandler({}))

    def protect(self, wanted: bool) -> str | None:  # noqa: FBT001 - it is what is asked for
        """Ask for protection, or give it up; return what was wrong, None when it was done."""
        body: dict[str, Any] = {"ProtectionEnabled": wanted}
        if wanted:
            body["ExpiresInMinutes"] = PROTECTED_FOR_MINUTES
        request = Request(  # noqa: S310 - the settings allow http and https alone
            self._address,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method="PUT",
        )
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as response:
                return _refusal(response.read())
        except HTTPError as error:
            with error:
                return _refusal(error.read()) or f"HTTP {error.code}"
        except (OSError, HTTPException) as error:
            return f"{type(error).__name__}: {error}"


def _refusal(answer: bytes) -> str | None:
    """Find the reason in an answer; ECS may refuse with status 200, too."""
    try:
        told = json.loads(answer)
    except ValueError:
        return "the answer is not JSON"
    if not isinstance(told, dict):
        return "the answer is not an object"
    for key, reason in (("failure", "Reason"), ("error", "Code")):
        if found := told.get(key):
            return str(found.get(reason, key)) if isinstance(found, dict) else key
    return None
